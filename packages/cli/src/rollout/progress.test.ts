import { liveObject } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { DaemonSet, Deployment, StatefulSet } from '@navarch/proto';
import { expect, test } from 'vitest';
import { daemonSetProgress } from './daemon-set.ts';
import { deploymentRollout } from './deployment.ts';
import { statefulSetProgress } from './stateful-set.ts';

type Status = NonNullable<Parameters<typeof Deployment.fromPartial>[0]['status']>;

const rolledBack = { type: 'RolledBack', status: 'True', message: 'web-2 was taken back' };

const make = (status: Status): Live<Deployment> => {
  const object = {
    metadata: { name: 'web', generation: 2 },
    spec: { replicas: 3 },
    status: { observedGeneration: 2, ...status },
  };
  return liveObject({ revision: 1n, object: { $case: 'deployment', value: Deployment.fromPartial(object) } });
};

test.each<[string, Status, string]>([
  ['going', { observedGeneration: 1 }, 'Waiting for deployment spec update to be observed...'],
  ['going', { updatedReplicas: 1, replicas: 4 }, 'rollout to finish: 1 out of 3 new replicas have been updated...'],
  ['going', { updatedReplicas: 3, replicas: 4 }, 'rollout to finish: 1 old replicas are pending termination...'],
  [
    'going',
    { updatedReplicas: 3, replicas: 3, availableReplicas: 2 },
    'rollout to finish: 2 of 3 updated replicas are available...',
  ],
  ['done', { updatedReplicas: 3, replicas: 3, availableReplicas: 3 }, 'deployment "web" successfully rolled out'],
  [
    'failed',
    { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] },
    'deployment "web" exceeded its progress deadline',
  ],
  [
    'failed',
    { updatedReplicas: 3, replicas: 3, availableReplicas: 3, conditions: [rolledBack] },
    'deployment "web" was rolled back: web-2 was taken back',
  ],
  [
    'going',
    { release: { lastGood: 'web-1', canary: { replicaSet: 'web-2', steps: 4, done: 1, replicas: 1, paused: true } } },
    'deployment "web" is at step 2 of 4: 1 new Pod, pauses until it is promoted; go on with: navctl rollout promote deploy/web',
  ],
  [
    'going',
    { release: { canary: { replicaSet: 'web-2', steps: 4, done: 2, replicas: 2 } } },
    'deployment "web" is at step 3 of 4: 2 new Pods',
  ],
  [
    'going',
    {
      release: { canary: { replicaSet: 'web-2', steps: 4, done: 4, replicas: 3 } },
      updatedReplicas: 1,
      replicas: 4,
    },
    '1 out of 3 new replicas have been updated',
  ],
])('%s: %j', (state, status, message) => {
  const progress = deploymentRollout.progress(make(status));
  expect(progress.state).toBe(state);
  expect(progress.message).toContain(message);
});

type SetParts = Parameters<typeof StatefulSet.fromPartial>[0];
const set = ({ spec, status }: Pick<SetParts, 'spec' | 'status'>): Live<StatefulSet> => {
  const value = StatefulSet.fromPartial({
    metadata: { name: 'db', generation: 2 },
    spec: { replicas: 3, ...spec },
    status: { observedGeneration: 2, currentRevision: 'db-1', updateRevision: 'db-1', readyReplicas: 3, ...status },
  });
  return liveObject({ revision: 1n, object: { $case: 'statefulSet', value } });
};

test.each<[string, Pick<SetParts, 'spec' | 'status'>, string]>([
  ['going', { status: { observedGeneration: 1 } }, 'Waiting for statefulset spec update to be observed...'],
  ['going', { status: { readyReplicas: 1 } }, 'Waiting for 2 pods to be ready...'],
  [
    'going',
    { status: { updateRevision: 'db-2', updatedReplicas: 1 } },
    'waiting for statefulset rolling update to complete 1 pods at revision db-2...',
  ],
  [
    'going',
    { spec: { updateStrategy: { rollingUpdate: { partition: 1 } } }, status: { updatedReplicas: 1 } },
    'Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...',
  ],
  [
    'done',
    { spec: { updateStrategy: { rollingUpdate: { partition: 1 } } }, status: { updatedReplicas: 2 } },
    'partitioned roll out complete: 2 new pods have been updated...',
  ],
  ['done', { status: { currentReplicas: 3 } }, 'statefulset rolling update complete 3 pods at revision db-1...'],
  [
    'failed',
    { spec: { updateStrategy: { type: 'OnDelete' } } },
    'rollout status is only available for RollingUpdate strategy type',
  ],
])('a StatefulSet is %s: %j', (state, parts, message) => {
  expect(statefulSetProgress(set(parts))).toEqual({ state, message });
});

type DaemonStatus = Parameters<typeof DaemonSet.fromPartial>[0]['status'];
const daemons = (status: DaemonStatus, type = 'RollingUpdate'): Live<DaemonSet> => {
  const value = DaemonSet.fromPartial({
    metadata: { name: 'logs', generation: 2 },
    spec: { updateStrategy: { type } },
    status: {
      observedGeneration: 2,
      desiredNumberScheduled: 3,
      updatedNumberScheduled: 3,
      numberAvailable: 3,
      ...status,
    },
  });
  return liveObject({ revision: 1n, object: { $case: 'daemonSet', value } });
};

test.each<[string, DaemonStatus, string]>([
  ['going', { observedGeneration: 1 }, 'Waiting for daemon set spec update to be observed...'],
  [
    'going',
    { updatedNumberScheduled: 1 },
    'Waiting for daemon set "logs" rollout to finish: 1 out of 3 new pods have been updated...',
  ],
  [
    'going',
    { numberAvailable: 2 },
    'Waiting for daemon set "logs" rollout to finish: 2 of 3 updated pods are available...',
  ],
  ['done', {}, 'daemon set "logs" successfully rolled out'],
])('a DaemonSet is %s: %j', (state, status, message) => {
  expect(daemonSetProgress(daemons(status))).toEqual({ state, message });
  expect(daemonSetProgress(daemons(status, 'OnDelete')).state).toBe('failed');
});
