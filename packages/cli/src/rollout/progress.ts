import type { Live } from '@navarch/machinery';
import type { Deployment } from '@navarch/proto';

export interface RolloutProgress {
  readonly state: 'going' | 'done' | 'failed';
  readonly message: string;
}

/** How far a Deployment's rollout is. Source of the steps and words: kubectl's DeploymentStatusViewer. */
export function deploymentProgress({ metadata, spec, status }: Live<Deployment>): RolloutProgress {
  const { name, generation } = metadata;
  if (generation > status.observedGeneration) return going('Waiting for deployment spec update to be observed...');
  const progressing = status.conditions.find(({ type }) => type === 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    return { state: 'failed', message: `deployment "${name}" exceeded its progress deadline` };
  }
  const waiting = (what: string) => going(`Waiting for deployment "${name}" rollout to finish: ${what}...`);
  const wanted = spec.replicas ?? 1;
  const { replicas, updatedReplicas, availableReplicas } = status;
  if (updatedReplicas < wanted) return waiting(`${updatedReplicas} out of ${wanted} new replicas have been updated`);
  if (replicas > updatedReplicas) return waiting(`${replicas - updatedReplicas} old replicas are pending termination`);
  if (availableReplicas < updatedReplicas) {
    return waiting(`${availableReplicas} of ${updatedReplicas} updated replicas are available`);
  }
  return done(`deployment "${name}" successfully rolled out`);
}

export function going(message: string): RolloutProgress {
  return { state: 'going', message };
}

export function done(message: string): RolloutProgress {
  return { state: 'done', message };
}

/** Where Pods are replaced only when somebody deletes them, nothing comes to an end by itself. */
export const notFollowed: RolloutProgress = {
  state: 'failed',
  message: 'rollout status is only available for RollingUpdate strategy type',
};
