import { liveObject } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { Deployment } from '@navarch/proto';
import { expect, test } from 'vitest';
import { deploymentProgress } from './progress.ts';

type Status = NonNullable<Parameters<typeof Deployment.fromPartial>[0]['status']>;

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
])('%s: %j', (state, status, message) => {
  const progress = deploymentProgress(make(status));
  expect(progress.state).toBe(state);
  expect(progress.message).toContain(message);
});
