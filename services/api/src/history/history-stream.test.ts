import { travelsOnFeed } from '@navarch/client';
import { configMap, event, pod, secret } from '@navarch/kinds';
import { expect, test } from 'vitest';
import { keepsHistory } from './history-stream.ts';

test.each([
  { kind: pod, feed: true, history: true },
  { kind: configMap, feed: false, history: true },
  { kind: secret, feed: false, history: false },
  { kind: event, feed: false, history: false },
])('of $kind.plural, the bus carries what it may', ({ kind, feed, history }) => {
  expect({ feed: travelsOnFeed(kind), history: keepsHistory(kind) }).toEqual({ feed, history });
});
