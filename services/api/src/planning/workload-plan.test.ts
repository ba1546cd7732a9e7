import { fromResource, type KindDefinition, liveObject, toResource } from '@navarch/kinds';
import { configMap, daemonSet, deployment, job, pod as podKind, replicaSet, statefulSet } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod, ReplicaSet } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { workloadPlan } from './workload-plan.ts';

function live<T>(kind: KindDefinition, json: object): Live<T> {
  const resource = toResource(kind, kind.message.fromJSON(json));
  fromResource(resource);
  return liveObject<T & object>(resource);
}

const template = (image: string) => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image }] },
});
const workload = (kind: KindDefinition, image: string, spec: object = {}, status: object = {}): Live<Pod> =>
  live(kind, {
    metadata: { name: 'web', namespace: 'default', uid: 'web' },
    spec: { template: template(image), ...spec },
    status,
  });
const ownedBy = (uid: string) => ({
  ownerReferences: [{ apiVersion: 'apps/v1', kind: 'X', name: uid, uid, controller: true }],
});
const pod = (
  name: string,
  owner: string,
  more: { labels?: object; going?: boolean; ready?: boolean } = {},
): Live<Pod> =>
  live(podKind, {
    metadata: {
      name,
      namespace: 'default',
      labels: more.labels ?? {},
      deletionTimestamp: more.going ? '2026-01-01T00:00:00Z' : '',
      ...ownedBy(owner),
    },
    spec: { nodeName: 'n1' },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: more.ready === false ? 'False' : 'True' }] },
  });
const set = (name: string, image: string, revision: number): Live<ReplicaSet> =>
  live(replicaSet, {
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      annotations: { 'deployment.kubernetes.io/revision': `${revision}` },
      ...ownedBy('web'),
    },
    spec: { template: template(image) },
  });

interface Case {
  readonly name: string;
  readonly kind: KindDefinition;
  readonly before?: Live<Pod>;
  readonly after: Live<Pod>;
  readonly pods?: readonly Live<Pod>[];
  readonly sets?: readonly Live<ReplicaSet>[];
  readonly is: object;
}

describe('what becomes of the Pods of', () => {
  test.each<Case>([
    {
      name: 'a new Deployment: as many as it asks for',
      kind: deployment,
      after: workload(deployment, 'a', { replicas: 2 }),
      is: { owner: 'deployment/web', made: ['#1', '#2'], replaced: [], removed: [], kept: [] },
    },
    {
      name: 'a Deployment that stays as it is: nothing, also where its ReplicaSet adds to the template',
      kind: deployment,
      before: workload(deployment, 'a', { replicas: 1 }),
      after: workload(deployment, 'a', { replicas: 1 }),
      sets: [set('web-2', 'a-pinned', 2), set('web-1', 'b', 1)],
      pods: [pod('x', 'web-2')],
      is: { made: [], replaced: [], removed: [], kept: ['default/x'] },
    },
    {
      name: 'a Deployment with a new template: all are replaced',
      kind: deployment,
      before: workload(deployment, 'a', { replicas: 2 }),
      after: workload(deployment, 'b', { replicas: 2 }),
      sets: [set('web-1', 'a', 1)],
      pods: [pod('x', 'web-1'), pod('y', 'web-1')],
      is: { made: ['#1', '#2'], replaced: ['default/x', 'default/y'], removed: [], kept: [] },
    },
    {
      name: 'a Deployment whose template a client wrote anew with empty messages: nothing',
      kind: deployment,
      before: workload(deployment, 'a', { replicas: 1 }),
      after: workload(deployment, 'a', {
        replicas: 1,
        template: { ...template('a'), spec: { containers: [{ name: 'c', image: 'a', resources: {} }] } },
      }),
      sets: [set('web-1', 'a', 1)],
      pods: [pod('x', 'web-1')],
      is: { made: [], replaced: [], removed: [], kept: ['default/x'] },
    },
    {
      name: 'a Deployment in the middle of a rollout: those of the new template stay',
      kind: deployment,
      before: workload(deployment, 'b', { replicas: 2 }),
      after: workload(deployment, 'b', { replicas: 2 }),
      sets: [set('web-1', 'a', 1), set('web-2', 'b', 2)],
      pods: [pod('x', 'web-1'), pod('y', 'web-2')],
      is: { made: ['#1'], replaced: ['default/x'], removed: [], kept: ['default/y'] },
    },
    {
      name: 'a smaller ReplicaSet: those that do the least go first',
      kind: replicaSet,
      before: workload(replicaSet, 'a', { replicas: 2 }),
      after: workload(replicaSet, 'a', { replicas: 1 }),
      pods: [pod('x', 'web'), pod('y', 'web', { ready: false })],
      is: { made: [], removed: ['default/y'], kept: ['default/x'] },
    },
    {
      name: 'a StatefulSet with a new template and more Pods: each is replaced under its name',
      kind: statefulSet,
      before: workload(statefulSet, 'a', { replicas: 1 }),
      after: workload(statefulSet, 'b', { replicas: 2 }),
      pods: [pod('web-0', 'web')],
      is: { made: ['web-0', 'web-1'], replaced: ['default/web-0'], removed: [], kept: [] },
    },
    {
      name: 'a StatefulSet that rolls only what is deleted: those that are there stay',
      kind: statefulSet,
      before: workload(statefulSet, 'a', { replicas: 1, updateStrategy: { type: 'OnDelete' } }),
      after: workload(statefulSet, 'b', { replicas: 1, updateStrategy: { type: 'OnDelete' } }),
      pods: [pod('web-0', 'web')],
      is: { made: [], replaced: [], removed: [], kept: ['default/web-0'] },
    },
    {
      name: 'a DaemonSet with a new template: one on each node, in place of those that are there',
      kind: daemonSet,
      before: workload(daemonSet, 'a'),
      after: workload(daemonSet, 'b'),
      pods: [pod('x', 'web'), pod('going', 'web', { going: true })],
      is: { onEachNode: true, replaced: ['default/x'], kept: [] },
    },
    {
      name: 'a Job: no more at once than are left to be done',
      kind: job,
      before: workload(job, 'a', { parallelism: 3, completions: 3 }, { succeeded: 1 }),
      after: workload(job, 'a', { parallelism: 3, completions: 3 }),
      pods: [pod('x', 'web')],
      is: { made: ['#1'], removed: [], kept: ['default/x'] },
    },
    {
      name: 'a Job that is suspended: all go',
      kind: job,
      before: workload(job, 'a', { parallelism: 2 }),
      after: workload(job, 'a', { parallelism: 2, suspend: true }),
      pods: [pod('x', 'web')],
      is: { made: [], removed: ['default/x'], kept: [] },
    },
    {
      name: 'a Pod that is there: it stays',
      kind: podKind,
      before: pod('x', ''),
      after: pod('x', ''),
      is: { made: [], kept: ['default/x'] },
    },
  ])('$name', ({ kind, before, after, pods = [], sets = [], is }) => {
    const plan = workloadPlan(kind, { object: after, previous: before }, { pods, replicaSets: sets });
    expect(plan).toMatchObject(is);
  });

  test('what makes none: nothing', () => {
    const object = workload(job, 'a');
    const neighbours = { pods: [], replicaSets: [] };
    expect(workloadPlan(configMap, { object, previous: undefined }, neighbours)).toBeUndefined();
  });
});
