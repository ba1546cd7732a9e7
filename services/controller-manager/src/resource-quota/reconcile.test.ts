import { ResourceQuota } from '@navarch/proto';
import { expect, test } from 'vitest';
import { lines, live } from '../objects.fixture.ts';
import { recountEveryMs, reconcileQuota } from './reconcile.ts';

const quota = (hard: Record<string, string>, counted: Record<string, string>) =>
  live(
    ResourceQuota.fromPartial({
      metadata: { name: 'q', namespace: 'default', uid: 'uid-q', resourceVersion: '5' },
      spec: { hard },
      status: { hard: counted, used: { pods: '1' } },
    }),
  );
const ask = ['updateStatus resourcequota q'];

test.each([
  { name: 'is new', object: quota({ pods: '1' }, {}), agoMs: undefined, writes: ask, againAfterMs: recountEveryMs },
  {
    name: 'has other limits than were counted',
    object: quota({ pods: '2' }, { pods: '1' }),
    agoMs: 1_000,
    writes: ask,
    againAfterMs: recountEveryMs,
  },
  {
    name: 'was counted a minute ago',
    object: quota({ pods: '1' }, { pods: '1' }),
    agoMs: 60_000,
    writes: [],
    againAfterMs: recountEveryMs - 60_000,
  },
  {
    name: 'was counted long ago',
    object: quota({ pods: '1' }, { pods: '1' }),
    agoMs: recountEveryMs,
    writes: ask,
    againAfterMs: recountEveryMs,
  },
  {
    name: 'was counted by another leader, who knows when',
    object: quota({ pods: '1' }, { pods: '1' }),
    agoMs: undefined,
    writes: ask,
    againAfterMs: recountEveryMs,
  },
])('a quota that $name: $writes', ({ object, agoMs, writes, againAfterMs }) => {
  const plan = reconcileQuota(object, agoMs);
  expect(lines(plan.writes)).toEqual(writes);
  expect(plan.againAfterMs).toBe(againAfterMs);
});

test('asks for a count of whatever version there is', () => {
  const [write] = reconcileQuota(quota({ pods: '1' }, {}), undefined).writes;
  expect(write).toMatchObject({ object: { metadata: { resourceVersion: '', uid: 'uid-q' }, status: { used: {} } } });
});
