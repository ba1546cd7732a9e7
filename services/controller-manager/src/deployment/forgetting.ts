import type { ClientWrite } from '@navarch/client';
import { replicaSet as replicaSetKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Deployment } from '@navarch/proto';
import { revisionOf } from './annotations.ts';
import type { ReplicaSets } from './replica-sets.ts';
import { replicasOf } from './strategy.ts';

/** Takes away old ReplicaSets beyond the history's limit, once the rollout is done: the ones with the lowest revisions. */
export function forgotten(
  deployment: Live<Deployment>,
  { current, old, lastGood }: ReplicaSets,
): readonly ClientWrite[] {
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  const done = current?.status.availableReplicas === replicasOf(deployment.spec);
  const kept = old.filter(({ metadata }) => metadata.deletionTimestamp === '');
  if (!done || kept.length <= limit) return [];
  const empty = kept.filter((set) => {
    const { metadata, spec, status } = set;
    const settled = status.observedGeneration >= metadata.generation;
    return set !== lastGood && replicasOf(spec) === 0 && status.replicas === 0 && settled;
  });
  return empty
    .toSorted((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, kept.length - limit)
    .map(({ metadata: { namespace, name, uid } }) => {
      return { type: 'delete', kind: replicaSetKind, key: { namespace, name }, options: { uid } };
    });
}
