import { replicaSet as replicaSetKind } from '@navarch/kinds';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { agoMs, budget, now, pod, replicaSet } from '../objects.fixture.ts';
import { controllerReference } from '../ownership.ts';
import { reconcileBudget } from './reconcile.ts';

type PodShape = NonNullable<Parameters<typeof pod>[1]>;

const owned = (name: string, more: PodShape = {}, owner = 'rs') =>
  pod(name, {
    ...more,
    metadata: { ...more.metadata, ownerReferences: [controllerReference(replicaSetKind, replicaSet(owner))] },
  });
const pods = (ready: number, unready = 0) => [
  ...Array.from({ length: ready }, (_, i) => owned(`r${i}`)),
  ...Array.from({ length: unready }, (_, i) => owned(`u${i}`, { ready: false })),
];
const look = (
  spec: Parameters<typeof budget>[0],
  these: ReturnType<typeof pod>[],
  scales: Record<string, number> = { 'uid-rs': 4 },
) => reconcileBudget({ budget: budget(spec), pods: these, scaleOf: ({ uid }) => scales[uid] }, now);
const statusOf = (plan: ReturnType<typeof look>): PodDisruptionBudgetStatus | undefined => {
  const [write] = plan.writes;
  return write?.type === 'updateStatus' ? (write.object as PodDisruptionBudget).status : undefined;
};

describe('a budget allows', () => {
  test.each([
    { name: 'minAvailable: what is healthy beyond it', spec: { minAvailable: 2 }, pods: pods(3), is: [1, 3, 2, 3] },
    {
      name: 'minAvailable: nothing when too few are healthy',
      spec: { minAvailable: 2 },
      pods: pods(1, 2),
      is: [0, 1, 2, 3],
    },
    {
      name: 'minAvailable in percent of what there should be, rounded up',
      spec: { minAvailable: '60%' },
      pods: pods(4),
      is: [1, 4, 3, 4],
    },
    { name: 'minAvailable 100%: nothing', spec: { minAvailable: '100%' }, pods: pods(4), is: [0, 4, 4, 4] },
    {
      name: 'maxUnavailable: counted from what there should be, not from what there is',
      spec: { maxUnavailable: 1 },
      pods: pods(3),
      is: [0, 3, 3, 4],
    },
    { name: 'maxUnavailable in percent, rounded up', spec: { maxUnavailable: '30%' }, pods: pods(4), is: [2, 4, 2, 4] },
    { name: 'maxUnavailable beyond all: all', spec: { maxUnavailable: 9 }, pods: pods(4), is: [4, 4, 0, 4] },
    { name: 'maxUnavailable 0: nothing', spec: { maxUnavailable: 0 }, pods: pods(4), is: [0, 4, 4, 4] },
    { name: 'all, when it says neither', spec: {}, pods: pods(2, 1), is: [2, 2, 0, 3] },
    { name: 'nothing, where there are no Pods', spec: { minAvailable: 0 }, pods: [], is: [0, 0, 0, 0] },
    {
      name: 'what several controllers want together',
      spec: { maxUnavailable: 1 },
      pods: [owned('a'), owned('b', {}, 'rs2')],
      scales: { 'uid-rs': 1, 'uid-rs2': 1 },
      is: [1, 2, 1, 2],
    },
    {
      name: 'without Pods that are going',
      spec: { minAvailable: 1 },
      pods: [owned('a'), owned('b', { metadata: { deletionTimestamp: agoMs(1_000) } })],
      is: [0, 1, 1, 2],
    },
    {
      name: 'without Pods that have no controller, in percent',
      spec: { minAvailable: '50%' },
      pods: [...pods(4), pod('alone')],
      is: [3, 5, 2, 4],
    },
  ])('$name', ({ spec, pods: these, is, scales }) => {
    const { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods } =
      statusOf(look({ spec }, these, scales)) ?? {};
    expect([disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods]).toEqual(is);
  });
});

test('says whether an eviction would be granted, and of which generation that holds', () => {
  expect(statusOf(look({ spec: { minAvailable: 2 } }, pods(3)))).toMatchObject({
    observedGeneration: 1,
    conditions: [{ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' }],
  });
  expect(statusOf(look({ spec: { minAvailable: 3 } }, pods(3)))?.conditions).toMatchObject([
    { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' },
  ]);
});

test('nothing is written once all is said', () => {
  const spec = { maxUnavailable: 1 };
  const status = statusOf(look({ spec }, pods(4)));
  expect(look({ spec, status: { ...status } }, pods(4)).writes).toEqual([]);
});

test('allows nothing, and says why, when nobody can say how many Pods there should be', () => {
  const plan = look({ spec: { maxUnavailable: 1 }, status: { disruptionsAllowed: 2 } }, pods(2), {});
  expect(statusOf(plan)).toMatchObject({
    disruptionsAllowed: 0,
    observedGeneration: 1,
    conditions: [{ status: 'False', reason: 'SyncFailed', message: expect.stringContaining('ReplicaSet "rs"') }],
  });
  expect(plan.againAfterMs).toBe(60_000);
});

describe('a Pod whose eviction was granted', () => {
  const granted = (ms: number) => ({ spec: { minAvailable: 1 }, status: { disruptedPods: { r0: agoMs(ms) } } });

  test('does not count as healthy until it is seen to go, or has gone', () => {
    const plan = look(granted(30_000), pods(3));
    expect(statusOf(plan)).toMatchObject({
      currentHealthy: 2,
      disruptionsAllowed: 1,
      disruptedPods: { r0: agoMs(30_000) },
    });
    expect(plan.againAfterMs).toBe(90_000);
    const going = [owned('r0', { metadata: { deletionTimestamp: agoMs(1_000) } }), owned('r1')];
    expect(statusOf(look(granted(30_000), going))).toMatchObject({ currentHealthy: 1, disruptedPods: {} });
    expect(statusOf(look(granted(30_000), [owned('r1')]))?.disruptedPods).toEqual({});
  });

  test('counts again when nothing came of it for two minutes, and that is told', () => {
    const plan = look(granted(121_000), pods(3));
    expect(statusOf(plan)).toMatchObject({ currentHealthy: 3, disruptedPods: {} });
    expect(plan.events).toMatchObject([{ reason: 'NotDeleted', object: { metadata: { name: 'r0' } } }]);
  });
});

test('Pods without a controller are told of, where they can not be counted', () => {
  expect(look({ spec: { maxUnavailable: 1 } }, [pod('alone')]).events).toMatchObject([{ reason: 'UnmanagedPods' }]);
  expect(look({ spec: { minAvailable: 1 } }, [pod('alone')]).events).toEqual([]);
});
