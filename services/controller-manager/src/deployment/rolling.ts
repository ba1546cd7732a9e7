import type { Live } from '@navarch/machinery';
import type { Deployment } from '@navarch/proto';
import { type ReplicaSets, sumOfReplicas, sumOfStatus } from './replica-sets.ts';
import type { Sizes } from './scaling.ts';
import { isRecreate, replicasOf, rollingLimits } from './strategy.ts';

/** How large the current ReplicaSet may be now, as far as the limit above allows. */
export function currentSize({ spec }: Live<Deployment>, { current, all }: ReplicaSets): number {
  const desired = replicasOf(spec);
  const present = current === undefined ? 0 : replicasOf(current.spec);
  if (isRecreate(spec) || present > desired) return desired;
  const room = desired + rollingLimits(spec).maxSurge - sumOfReplicas(all);
  return present + Math.max(0, Math.min(room, desired - present));
}

/**
 * How far the old ReplicaSets may shrink now, as far as the limit below allows: first Pods that don't serve anyway, then
 * as many as the rest can do without. Oldest first.
 */
export function oldSizes({ spec }: Live<Deployment>, { current, old, all }: ReplicaSets): Sizes {
  const active = old.filter((replicaSet) => replicasOf(replicaSet.spec) > 0);
  const least = replicasOf(spec) - rollingLimits(spec).maxUnavailable;
  const unavailableNew = current === undefined ? 0 : replicasOf(current.spec) - current.status.availableReplicas;
  let unhealthyLeft = sumOfReplicas(all) - least - unavailableNew;
  let healthyLeft = Math.max(0, sumOfStatus(all, 'availableReplicas') - least);
  const sizes = new Map<(typeof active)[number], number>();
  if (unhealthyLeft <= 0) return sizes;
  for (const replicaSet of active) {
    const size = replicasOf(replicaSet.spec);
    // While its Pods' number is still on its way to its size, nobody can tell how many of them serve.
    const unhealthy = Math.max(0, size - replicaSet.status.availableReplicas);
    const removed = Math.min(unhealthy, unhealthyLeft);
    unhealthyLeft -= removed;
    if (removed > 0) sizes.set(replicaSet, size - removed);
  }
  for (const replicaSet of active) {
    const size = sizes.get(replicaSet) ?? replicasOf(replicaSet.spec);
    const removed = Math.min(size, healthyLeft, Math.max(0, unhealthyLeft));
    healthyLeft -= removed;
    unhealthyLeft -= removed;
    if (removed > 0) sizes.set(replicaSet, size - removed);
  }
  return sizes;
}
