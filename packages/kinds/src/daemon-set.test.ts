import { DaemonSet } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { daemonSet } from './daemon-set.ts';

const set = (updateStrategy: object) =>
  DaemonSet.fromJSON({
    metadata: { name: 'logs' },
    spec: {
      selector: { matchLabels: { app: 'logs' } },
      template: { metadata: { labels: { app: 'logs' } }, spec: { containers: [{ name: 'c', image: 'busybox' }] } },
      updateStrategy,
    },
  });
const completed = (updateStrategy: object) => {
  const object = set(updateStrategy);
  daemonSet.complete?.(object);
  return object;
};

test.each([
  { given: {}, is: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } } },
  {
    given: { rollingUpdate: { maxUnavailable: 0, maxSurge: '10%' } },
    is: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '10%' } },
  },
  { given: { type: 'OnDelete' }, is: { type: 'OnDelete', rollingUpdate: undefined } },
  {
    given: { type: 'OnDelete', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    is: { type: 'OnDelete', rollingUpdate: undefined },
  },
])('the strategy $given is $is', ({ given, is }) => {
  expect(completed(given).spec?.updateStrategy).toEqual(is);
});

describe('a strategy', () => {
  test.each<{ name: string; strategy: object; errors: string[] }>([
    { name: 'of the usual steps', strategy: {}, errors: [] },
    { name: 'that surges', strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 2 } }, errors: [] },
    {
      name: 'that surges and takes away is refused',
      strategy: { rollingUpdate: { maxSurge: 2 } },
      errors: ['maxUnavailable'],
    },
    {
      name: 'that replaces nothing is refused',
      strategy: { rollingUpdate: { maxUnavailable: '0%' } },
      errors: ['maxUnavailable'],
    },
    {
      name: 'of more than all nodes is refused',
      strategy: { rollingUpdate: { maxUnavailable: '101%' } },
      errors: ['maxUnavailable'],
    },
    {
      name: 'without steps, of steps, is refused',
      strategy: { type: 'OnDelete', rollingUpdate: { maxUnavailable: 3 } },
      errors: ['rollingUpdate'],
    },
  ])('$name', ({ strategy, errors }) => {
    const found = daemonSet.validate?.(completed(strategy)) ?? [];
    expect(found.map(({ path }) => path.split('.').at(-1))).toEqual(errors);
  });
});
