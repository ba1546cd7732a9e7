import type { Live } from '@navarch/machinery';
import type { Deployment, ReplicaSet } from '@navarch/proto';
import type { Goals } from './goals.ts';
import { availableOf, type ReplicaSets, sumOfReplicas } from './replica-sets.ts';
import type { Sizes } from './scaling.ts';
import { isRecreate, replicasOf, rollingLimits } from './strategy.ts';

/** How many Pods today's template gets when its ReplicaSet is made now. */
export function firstSize(deployment: Live<Deployment>, sets: ReplicaSets, goals: Goals): number {
  return isRecreate(deployment.spec) ? goals.current : Math.min(goals.current, roomAbove(deployment, sets));
}

/** How far what is below its goal may grow now, as far as the limit above allows: today's template first. */
export function grownSizes(deployment: Live<Deployment>, sets: ReplicaSets, goals: Goals): Sizes {
  const sizes = new Map<Live<ReplicaSet>, number>();
  const desired = replicasOf(deployment.spec);
  let room = isRecreate(deployment.spec) ? desired : roomAbove(deployment, sets);
  for (const replicaSet of [sets.current, sets.lastGood]) {
    if (replicaSet === undefined || sizes.has(replicaSet)) continue;
    const size = replicasOf(replicaSet.spec);
    const added = Math.min(room, goals.of(replicaSet) - size);
    if (added > 0) sizes.set(replicaSet, size + added);
    room -= Math.max(0, added);
  }
  // More than are wanted in all is nobody's rollout.
  if (sets.current !== undefined && replicasOf(sets.current.spec) > desired) sizes.set(sets.current, desired);
  return sizes;
}

/**
 * How far what is above its goal may shrink now, as far as the limit below allows: first Pods that don't serve anyway, then
 * as many as the rest can do without. Oldest first, and what shall go altogether before what shall only be smaller.
 */
export function shrunkSizes({ spec }: Live<Deployment>, sets: ReplicaSets, goals: Goals): Sizes {
  const sizes = new Map<Live<ReplicaSet>, number>();
  // Of one that was sized anew nobody knows yet how many serve: it may have lost some and got others since.
  if (sets.all.some(({ metadata, status }) => status.observedGeneration < metadata.generation)) return sizes;
  const shrinking = sets.all.filter((set) => replicasOf(set.spec) > goals.of(set));
  const order = shrinking.toSorted((a, b) => Number(goals.of(a) > 0) - Number(goals.of(b) > 0));
  const least = replicasOf(spec) - rollingLimits(spec).maxUnavailable;
  const staying = sets.all.filter((set) => !shrinking.includes(set));
  const unavailable = staying.reduce((sum, set) => sum + replicasOf(set.spec) - availableOf(set), 0);
  const available = sets.all.reduce((sum, set) => sum + availableOf(set), 0);
  let unhealthyLeft = sumOfReplicas(sets.all) - least - unavailable;
  let healthyLeft = Math.max(0, available - least);
  if (unhealthyLeft <= 0) return sizes;
  for (const replicaSet of order) {
    const size = replicasOf(replicaSet.spec);
    const unhealthy = size - availableOf(replicaSet);
    const removed = Math.min(unhealthy, unhealthyLeft, size - goals.of(replicaSet));
    unhealthyLeft -= removed;
    if (removed > 0) sizes.set(replicaSet, size - removed);
  }
  for (const replicaSet of order) {
    const size = sizes.get(replicaSet) ?? replicasOf(replicaSet.spec);
    const removed = Math.min(size - goals.of(replicaSet), healthyLeft, unhealthyLeft);
    healthyLeft -= removed;
    unhealthyLeft -= removed;
    if (removed > 0) sizes.set(replicaSet, size - removed);
  }
  return sizes;
}

function roomAbove({ spec }: Live<Deployment>, { all }: ReplicaSets): number {
  return Math.max(0, replicasOf(spec) + rollingLimits(spec).maxSurge - sumOfReplicas(all));
}
