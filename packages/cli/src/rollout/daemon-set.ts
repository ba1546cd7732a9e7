import { daemonSet } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { ControllerRevision, DaemonSet } from '@navarch/proto';
import { keptInRevisions, revisionHash } from './controller-revisions.ts';
import { done, going, notFollowed, type RolloutProgress } from './progress.ts';
import type { RolloutKind } from './rollout-kind.ts';

export const daemonSetRollout: RolloutKind<DaemonSet, ControllerRevision> = {
  kind: daemonSet,
  progress: daemonSetProgress,
  facts: ({ spec, status }) => ({
    selector: spec.selector,
    template: spec.template,
    paused: false,
    desired: status.desiredNumberScheduled,
    minReadySeconds: spec.minReadySeconds,
    deadlineAt: undefined,
    failure: '',
  }),
  ...keptInRevisions(revisionHash),
};

/** How far a DaemonSet's rollout is. Source of the steps and words: kubectl's DaemonSetStatusViewer. */
export function daemonSetProgress({ metadata, spec, status }: Live<DaemonSet>): RolloutProgress {
  if (spec.updateStrategy?.type === 'OnDelete') return notFollowed;
  if (metadata.generation > status.observedGeneration) {
    return going('Waiting for daemon set spec update to be observed...');
  }
  const waiting = (what: string) => going(`Waiting for daemon set "${metadata.name}" rollout to finish: ${what}...`);
  const { desiredNumberScheduled: desired, updatedNumberScheduled: updated, numberAvailable: available } = status;
  if (updated < desired) return waiting(`${updated} out of ${desired} new pods have been updated`);
  if (available < desired) return waiting(`${available} of ${desired} updated pods are available`);
  return done(`daemon set "${metadata.name}" successfully rolled out`);
}
