import { statefulSet } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { ControllerRevision, StatefulSet } from '@navarch/proto';
import { keptInRevisions, revisionName } from './controller-revisions.ts';
import { done, going, notFollowed, type RolloutProgress } from './progress.ts';
import type { RolloutKind } from './rollout-kind.ts';

export const statefulSetRollout: RolloutKind<StatefulSet, ControllerRevision> = {
  kind: statefulSet,
  progress: statefulSetProgress,
  facts: ({ spec, status }) => ({
    selector: spec.selector,
    template: spec.template,
    paused: false,
    desired: Math.max(0, (spec.replicas ?? 1) - partitionOf(spec)),
    minReadySeconds: spec.minReadySeconds,
    deadlineAt: undefined,
    failure: '',
    ...(status.updateRevision !== '' && { newHash: status.updateRevision }),
  }),
  ...keptInRevisions(revisionName),
};

/** How far a StatefulSet's rollout is. Source of the steps and words: kubectl's StatefulSetStatusViewer. */
export function statefulSetProgress({ metadata, spec, status }: Live<StatefulSet>): RolloutProgress {
  if (spec.updateStrategy?.type === 'OnDelete') return notFollowed;
  if (status.observedGeneration === 0 || metadata.generation > status.observedGeneration) {
    return going('Waiting for statefulset spec update to be observed...');
  }
  const wanted = spec.replicas ?? 1;
  const { readyReplicas, updatedReplicas, currentReplicas, updateRevision, currentRevision } = status;
  if (readyReplicas < wanted) return going(`Waiting for ${wanted - readyReplicas} pods to be ready...`);
  const partition = partitionOf(spec);
  if (partition > 0) {
    const shall = wanted - partition;
    return updatedReplicas < shall
      ? going(
          `Waiting for partitioned roll out to finish: ${updatedReplicas} out of ${shall} new pods have been updated...`,
        )
      : done(`partitioned roll out complete: ${updatedReplicas} new pods have been updated...`);
  }
  if (updateRevision !== currentRevision) {
    return going(
      `waiting for statefulset rolling update to complete ${updatedReplicas} pods at revision ${updateRevision}...`,
    );
  }
  return done(`statefulset rolling update complete ${currentReplicas} pods at revision ${currentRevision}...`);
}

function partitionOf({ updateStrategy }: Live<StatefulSet>['spec']): number {
  return updateStrategy?.rollingUpdate?.partition ?? 0;
}
