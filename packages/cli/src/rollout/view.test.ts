import { liveObject } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { Deployment, Event, Pod, ReplicaSet } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { deploymentRollout } from './deployment.ts';
import { podTrouble } from './pod-trouble.ts';
import { fitted, type RolloutObjects, rolloutView } from './view.ts';

const now = Date.parse('2026-01-01T00:10:00Z');
const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();

type Partial<T extends { fromPartial(value: never): unknown }> = Parameters<T['fromPartial']>[0];
type PodParts = Pick<NonNullable<Partial<typeof Pod>>, 'spec' | 'status'>;

const ready = (seconds: number) => ({ type: 'Ready', status: 'True', lastTransitionTime: ago(seconds) });

function pod(name: string, hash: string, parts: PodParts, more: object = {}): Live<Pod> {
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `web-${hash}`, uid: hash }];
  const metadata = { name, labels: { 'pod-template-hash': hash }, ownerReferences, ...more };
  const spec = { nodeName: 'n1', containers: [{ name: 'c', image: 'web:2' }], ...parts.spec };
  const value = Pod.fromPartial({ metadata, spec, status: parts.status ?? {} });
  return liveObject({ revision: 1n, object: { $case: 'pod', value } });
}

const up = (name: string, hash: string, seconds = 100) =>
  pod(name, hash, { status: { phase: 'Running', conditions: [ready(seconds)] } });

function set(hash: string, revision: string): Live<ReplicaSet> {
  const value = ReplicaSet.fromPartial({
    metadata: {
      name: `web-${hash}`,
      uid: hash,
      annotations: { 'deployment.kubernetes.io/revision': revision },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'web' }],
    },
    spec: { template: { metadata: { labels: { app: 'web', 'pod-template-hash': hash } } } },
  });
  return liveObject({ revision: 1n, object: { $case: 'replicaSet', value } });
}

function web(parts: { spec?: object; status?: object }): Live<Deployment> {
  const value = Deployment.fromPartial({
    metadata: { name: 'web', uid: 'web', generation: 2 },
    spec: {
      replicas: 3,
      progressDeadlineSeconds: 600,
      template: { spec: { containers: [{ name: 'c', image: 'web:2' }] } },
      ...parts.spec,
    },
    status: { observedGeneration: 2, replicas: 4, updatedReplicas: 2, availableReplicas: 3, ...parts.status },
  });
  return liveObject({ revision: 1n, object: { $case: 'deployment', value } });
}

const progressing = (seconds: number) => ({
  conditions: [{ type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', lastUpdateTime: ago(seconds) }],
});

function view(
  object: Live<Deployment>,
  pods: readonly Live<Pod>[],
  failedProbes: readonly Live<Event>[] = [],
): readonly string[] {
  const objects: RolloutObjects = {
    rollout: deploymentRollout,
    object,
    records: [set('new', '2'), set('old', '1')],
    pods,
    failedProbes,
  };
  return rolloutView(objects, now);
}

describe('the picture of a rollout', () => {
  test('shows new and old Pods, what it waits for and the time left', () => {
    const pods = [
      up('web-new-a', 'new'),
      pod('web-new-b', 'new', {
        status: {
          phase: 'Pending',
          containerStatuses: [{ name: 'c', state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } }],
        },
      }),
      up('web-old-a', 'old'),
      up('web-old-b', 'old'),
    ];
    expect(view(web({ status: progressing(30) }), pods)).toEqual([
      'deployment.apps/web to revision 2: web:2',
      '██████████░░░░░░░░░░░░░░░░░░░░  1 of 3 new Pods available',
      '2 old Pods left, 2 available',
      'Waiting for deployment "web" rollout to finish: 2 out of 3 new replicas have been updated...',
      `  pod/web-new-b: can't get the image web:2 (ImagePullBackOff): not found`,
      '9m30s left until the progress deadline',
    ]);
  });

  test('says what a failed probe said last', () => {
    const probing = { containers: [{ name: 'c', image: 'web:2', readinessProbe: {} }] };
    const status = { phase: 'Running', containerStatuses: [{ name: 'c', state: { running: {} }, started: true }] };
    const waiting = pod('web-new-a', 'new', { spec: probing, status }, { uid: 'a' });
    const failed = (seconds: number, uid: string, message: string): Live<Event> => {
      const value = Event.fromPartial({ involvedObject: { uid }, lastTimestamp: ago(seconds), message });
      return liveObject({ revision: 1n, object: { $case: 'event', value } });
    };
    const failedProbes = [
      failed(9, 'a', 'readiness probe of container c failed: timed out'),
      failed(2, 'a', 'readiness probe of container c failed: status 503\nmore'),
      failed(1, 'b', 'readiness probe of container c failed: other'),
    ];
    expect(view(web({}), [waiting], failedProbes)).toContain(
      '  pod/web-new-a: container "c" runs, but its readiness probe does not succeed: status 503',
    );
  });

  test('names the first Pods that something keeps, and counts the others', () => {
    const pods = Array.from({ length: 9 }, (_, number) => pod(`web-new-${number}`, 'new', { spec: { nodeName: '' } }));
    const lines = view(web({ spec: { replicas: 9 } }), pods);
    expect(lines.filter((line) => line.startsWith('  pod/'))).toHaveLength(6);
    expect(lines).toContain('  … and 3 more Pods');
  });

  test('says that it is held, and then counts no time', () => {
    const held = { conditions: [{ type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused' }] };
    const lines = view(web({ spec: { paused: true }, status: held }), []);
    expect(lines.at(-1)).toBe('It is held; go on with `navctl rollout resume`.');
  });

  test('says why Pods can not be made', () => {
    const failure = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' };
    expect(view(web({ status: { conditions: [failure] } }), [])).toContain("Pods can't be made: exceeded quota");
  });

  test('has a full bar when nothing is wanted', () => {
    expect(view(web({ spec: { replicas: 0 } }), [])[1]).toBe(`${'█'.repeat(30)}  0 of 0 new Pods available`);
  });

  test('counts neither Pods of others nor those that are ending', () => {
    const stranger = up('web-new-x', 'new');
    const other = { ...stranger, metadata: { ...stranger.metadata, ownerReferences: [] } };
    const ending = pod('web-old-a', 'old', { status: {} }, { deletionTimestamp: ago(1) });
    const lines = view(web({}), [other, ending]);
    expect(lines[1]).toContain('0 of 3 new Pods');
    expect(lines.join('\n')).not.toContain('old Pod');
  });
});

test('a line that is longer than the screen is broken between words', () => {
  const lines = ['  pod/a: can not be had', 'short', 'averyverylongword and more'];
  expect(fitted(lines, 14)).toEqual(['  pod/a: can', '    not be had', 'short', 'averyverylongword', '    and more']);
});

type Status = PodParts['status'];
const container = (status: object): Status => ({
  phase: 'Running',
  containerStatuses: [{ name: 'c', ...status }],
});

test.each<[string, PodParts, string | undefined]>([
  ['is available', { status: { phase: 'Running', conditions: [ready(10)] } }, undefined],
  [
    'is not ready for long enough',
    { status: { phase: 'Running', conditions: [ready(3)] } },
    'is ready, and counts as available in 2s',
  ],
  ['is new', { spec: { nodeName: '', schedulerName: 'default-scheduler' } }, 'waits for the scheduler'],
  ['has a scheduler of its own', { spec: { nodeName: '', schedulerName: 'mine' } }, 'waits for the scheduler "mine"'],
  [
    'fits nowhere',
    {
      spec: { nodeName: '' },
      status: { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes are available' }] },
    },
    'fits no node: 0/1 nodes are available',
  ],
  ['was not seen by its node yet', {}, 'waits for node n1'],
  [
    'is being made',
    { status: container({ state: { waiting: { reason: 'ContainerCreating' } } }) },
    'container "c" is being made',
  ],
  [
    'has no image',
    { status: container({ state: { waiting: { reason: 'ErrImagePull', message: 'no such tag' } } }) },
    "can't get the image web:2 (ErrImagePull): no such tag",
  ],
  [
    'crashes',
    {
      status: container({
        restartCount: 3,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
      }),
    },
    'container "c" crashes again and again (restarted 3 times; the last time it ended with exit code 137 (OOMKilled))',
  ],
  [
    'lacks its settings',
    {
      status: container({
        state: { waiting: { reason: 'CreateContainerConfigError', message: 'configmap "x" not found' } },
      }),
    },
    `container "c" can't start (CreateContainerConfigError): configmap "x" not found`,
  ],
  [
    'has a probe that does not pass',
    {
      spec: { containers: [{ name: 'c', image: 'web:2', readinessProbe: {} }] },
      status: container({ state: { running: {} }, started: true }),
    },
    'container "c" runs, but its readiness probe does not succeed',
  ],
  [
    'has a startup probe that did not pass yet',
    {
      spec: { containers: [{ name: 'c', image: 'web:2', startupProbe: {}, readinessProbe: {} }] },
      status: container({ state: { running: {} }, restartCount: 1 }),
    },
    'container "c" runs, but its startup probe has not succeeded yet (restarted once)',
  ],
  [
    'prepares',
    {
      spec: { initContainers: [{ name: 'init', image: 'x' }] },
      status: {
        initContainerStatuses: [{ name: 'init', state: { running: {} } }],
        containerStatuses: [{ name: 'c', state: { waiting: { reason: 'PodInitializing' } } }],
      },
    },
    'init container "init" has not ended yet',
  ],
  [
    'was put out',
    { status: { phase: 'Failed', reason: 'Evicted', message: 'the node is full' } },
    'has ended (Evicted): the node is full',
  ],
])('a Pod that %s', (_name, parts, trouble) => {
  expect(podTrouble(pod('web', 'new', parts), 5, now)).toBe(trouble);
});
