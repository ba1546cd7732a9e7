import type { Live } from '@navarch/machinery';
import type { Deployment, ReplicaSet } from '@navarch/proto';
import { sizedFor, sizedForMost } from './annotations.ts';
import { type ReplicaSets, sumOfReplicas } from './replica-sets.ts';
import { isRecreate, replicasOf, rollingLimits } from './strategy.ts';

/** New sizes by ReplicaSet. Those not named keep theirs. */
export type Sizes = ReadonlyMap<Live<ReplicaSet>, number>;

/** Whether the Deployment's replicas changed since its ReplicaSets were sized. */
export function wasScaled({ spec }: Live<Deployment>, { all }: ReplicaSets): boolean {
  const desired = replicasOf(spec);
  return all.some((replicaSet) => {
    const before = sizedFor(replicaSet);
    return replicasOf(replicaSet.spec) > 0 && before !== undefined && before !== desired;
  });
}

/**
 * Sizes after a change of the Deployment's replicas in the middle of a rolling update (or a pause): each ReplicaSet
 * grows or shrinks in proportion to its size, so that the update neither leaps ahead nor back. Source:
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#proportional-scaling
 */
export function proportionalSizes({ spec }: Live<Deployment>, { current, old, all }: ReplicaSets): Sizes {
  const desired = replicasOf(spec);
  const active = all.filter(({ spec: { replicas } }) => replicasOf({ replicas }) > 0);
  const only = active.length === 0 ? (current ?? all.at(-1)) : active[0];
  if (active.length <= 1) return only === undefined ? new Map() : new Map([[only, desired]]);
  const oldActive = old.filter((replicaSet) => active.includes(replicaSet));
  if (current !== undefined && isSaturated(current, desired))
    return new Map(oldActive.map((replicaSet) => [replicaSet, 0]));
  if (isRecreate(spec)) return new Map();

  const most = desired > 0 ? desired + rollingLimits(spec).maxSurge : 0;
  const toAdd = most - sumOfReplicas(active);
  // What is growing favours the newer of equals, what is shrinking takes from the older.
  const order = active.toSorted((a, b) => {
    const bySize = replicasOf(b.spec) - replicasOf(a.spec);
    const age = active.indexOf(b) - active.indexOf(a);
    return bySize === 0 ? (toAdd > 0 ? age : -age) : bySize;
  });
  const sizes = new Map<Live<ReplicaSet>, number>();
  let added = 0;
  for (const replicaSet of order) {
    const left = toAdd - added;
    const share = fairShare(replicaSet, most);
    const change = toAdd > 0 ? Math.max(0, Math.min(share, left)) : Math.min(0, Math.max(share, left));
    sizes.set(replicaSet, replicasOf(replicaSet.spec) + change);
    added += change;
  }
  const [largest] = order;
  if (largest !== undefined && added !== toAdd)
    sizes.set(largest, Math.max(0, (sizes.get(largest) ?? 0) + toAdd - added));
  return sizes;
}

function fairShare(replicaSet: Live<ReplicaSet>, most: number): number {
  const size = replicasOf(replicaSet.spec);
  const before = sizedForMost(replicaSet) ?? most;
  return before === 0 ? 0 : Math.round((size * most) / before) - size;
}

/** Whether the current ReplicaSet alone already serves what is wanted. */
function isSaturated({ spec, status }: Live<ReplicaSet>, desired: number): boolean {
  return replicasOf(spec) === desired && status.availableReplicas === desired;
}
