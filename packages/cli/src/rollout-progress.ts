import type { Live } from '@navarch/machinery';
import type { Deployment } from '@navarch/proto';

export interface RolloutProgress {
  readonly state: 'going' | 'done' | 'failed';
  readonly message: string;
}

/** How far a rollout is. Source of the steps and words: kubectl's DeploymentStatusViewer. */
export function rolloutProgress({ metadata, spec, status }: Live<Deployment>): RolloutProgress {
  const { name, generation } = metadata;
  if (generation > status.observedGeneration) {
    return { state: 'going', message: 'Waiting for deployment spec update to be observed...' };
  }
  const progressing = status.conditions.find(({ type }) => type === 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    return { state: 'failed', message: `deployment "${name}" exceeded its progress deadline` };
  }
  const going = (what: string): RolloutProgress => ({
    state: 'going',
    message: `Waiting for deployment "${name}" rollout to finish: ${what}...`,
  });
  const wanted = spec.replicas ?? 1;
  const { replicas, updatedReplicas, availableReplicas } = status;
  if (updatedReplicas < wanted) return going(`${updatedReplicas} out of ${wanted} new replicas have been updated`);
  if (replicas > updatedReplicas) return going(`${replicas - updatedReplicas} old replicas are pending termination`);
  if (availableReplicas < updatedReplicas) {
    return going(`${availableReplicas} of ${updatedReplicas} updated replicas are available`);
  }
  return { state: 'done', message: `deployment "${name}" successfully rolled out` };
}
