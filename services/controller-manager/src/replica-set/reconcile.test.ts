import * as fc from 'fast-check';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { controllerReference } from '../ownership.ts';
import { replicaSet as kind } from '@navarch/kinds';
import { agoMs, lines, now, pod, replicaSet } from '../objects.fixture.ts';
import { reconcileReplicaSet } from './reconcile.ts';

const set = (replicas: number, more = {}) => replicaSet('web', { spec: { replicas }, ...more });
const mine = (name: string, more: Parameters<typeof pod>[1] = {}) =>
  pod(name, { ...more, metadata: { ...more.metadata, ownerReferences: [controllerReference(kind, set(1))] } });
const look = (replicas: number, pods: readonly Live<Pod>[]) => {
  const taken = new Set(pods.map(({ metadata }) => metadata.name));
  return reconcileReplicaSet({ replicaSet: set(replicas), pods, taken }, now);
};
const gone = { deletionTimestamp: agoMs(1000) };

describe('how many Pods', () => {
  test.each([
    {
      name: 'makes what is missing',
      replicas: 2,
      pods: [mine('a')],
      does: [expect.stringMatching(/^create pod web-[a-z0-9]{5}$/)],
    },
    { name: 'makes nothing when all are there', replicas: 1, pods: [mine('a')], does: ['updateStatus replicaset web'] },
    {
      name: 'removes what is too much',
      replicas: 1,
      pods: [mine('a'), mine('b', { ready: false })],
      does: ['delete pod b'],
    },
    {
      name: 'replaces a Pod that is over',
      replicas: 1,
      pods: [mine('a', { status: { phase: 'Failed' } })],
      does: [expect.stringMatching(/^create pod/)],
    },
    {
      name: 'replaces a Pod that is ending',
      replicas: 1,
      pods: [mine('a', { metadata: gone })],
      does: [expect.stringMatching(/^create pod/)],
    },
    { name: 'adopts a Pod that nobody manages', replicas: 1, pods: [pod('a')], does: ['update pod a'] },
    {
      name: 'leaves a Pod with other labels alone',
      replicas: 0,
      pods: [pod('a', { metadata: { labels: { app: 'db' } } })],
      does: [],
    },
    {
      name: 'releases a Pod that lost its label',
      replicas: 1,
      pods: [mine('a', { metadata: { labels: { app: 'db' } } })],
      does: ['update pod a'],
    },
    { name: 'does not adopt what is ending', replicas: 0, pods: [pod('a', { metadata: gone })], does: [] },
  ])('$name', ({ replicas, pods, does }) => {
    const writes = lines(look(replicas, pods).writes);
    // With nothing else to do, the status is written once; it is looked at below.
    expect(does.length === 0 ? writes.filter((line) => line.includes('pod ')) : writes).toEqual(does);
  });

  test('makes at most 500 in one step', () => {
    expect(look(1200, []).writes).toHaveLength(500);
  });

  test('makes nothing while it is being deleted', () => {
    const replicaSet = set(3, { metadata: gone });
    const plan = reconcileReplicaSet({ replicaSet, pods: [], taken: new Set() }, now);
    expect(lines(plan.writes).filter((line) => line.startsWith('create'))).toEqual([]);
  });
});

describe('names', () => {
  test('are the same when the same decision is made twice from a stale cache', () => {
    expect(lines(look(3, []).writes)).toEqual(lines(look(3, []).writes));
  });

  test('never take one that is in use', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 20 }), (first, more) => {
        const names = (plan: ReturnType<typeof look>) =>
          plan.writes.flatMap((write) => (write.type === 'create' ? [write.object.metadata?.name ?? ''] : []));
        const before = names(look(first, []));
        const after = names(
          look(
            first + more,
            before.map((name) => mine(name)),
          ),
        );
        expect(new Set([...before, ...after]).size).toBe(first + more);
      }),
    );
  });

  test('belong to the owner: another ReplicaSet of the same name makes others', () => {
    const other = replicaSet('web', { metadata: { uid: 'other' }, spec: { replicas: 1 } });
    const plan = reconcileReplicaSet({ replicaSet: other, pods: [], taken: new Set() }, now);
    expect(lines(plan.writes)).not.toEqual(lines(look(1, []).writes));
  });
});

describe('the new Pod', () => {
  test('carries the template’s labels and spec, and its owner', () => {
    const [write] = look(1, []).writes;
    expect(write).toMatchObject({
      type: 'create',
      object: {
        metadata: {
          labels: { app: 'web' },
          ownerReferences: [{ kind: 'ReplicaSet', uid: 'uid-web', controller: true, blockOwnerDeletion: true }],
        },
        spec: { containers: [{ image: 'nginx' }] },
      },
    });
  });
});

describe('status', () => {
  const statusOf = (pods: readonly Live<Pod>[], more = {}) => {
    const [write] = reconcileReplicaSet({ replicaSet: set(pods.length, more), pods, taken: new Set() }, now).writes;
    return write?.type === 'updateStatus' && 'status' in write.object ? write.object.status : undefined;
  };

  test('counts what is there, ready, available and fully labelled', () => {
    const pods = [mine('a', { readyForMs: 60_000 }), mine('b', { readyForMs: 1_000 }), mine('c', { ready: false })];
    const observed = replicaSet('web', { spec: { replicas: 3, minReadySeconds: 10 } });
    const plan = reconcileReplicaSet({ replicaSet: observed, pods, taken: new Set() }, now);
    expect(plan.writes).toMatchObject([
      {
        object: {
          status: {
            replicas: 3,
            readyReplicas: 2,
            availableReplicas: 1,
            fullyLabeledReplicas: 3,
            observedGeneration: 1,
          },
        },
      },
    ]);
    expect(plan.againAfterMs).toBe(9_000);
  });

  test('is not written again when it says the same', () => {
    const pods = [mine('a')];
    const status = {
      replicas: 1,
      readyReplicas: 1,
      availableReplicas: 1,
      fullyLabeledReplicas: 1,
      observedGeneration: 1,
    };
    expect(statusOf(pods, { status })).toBeUndefined();
  });

  test('says why Pods could not be made, and forgets it later', () => {
    const failure = { reason: 'FailedCreate', message: 'no' } as const;
    const observed = { replicaSet: set(1), pods: [], taken: new Set<string>() };
    expect(reconcileReplicaSet(observed, now, failure).writes).toMatchObject([
      {
        type: 'updateStatus',
        object: { status: { conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' }] } },
      },
    ]);
    const failed = { conditions: [{ type: 'ReplicaFailure', status: 'True' }] };
    expect(statusOf([mine('a')], { status: failed })).toMatchObject({ conditions: [] });
  });
});
