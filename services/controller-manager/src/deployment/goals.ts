import type { Live } from '@navarch/machinery';
import type { CanaryStatus, Deployment, ReplicaSet } from '@navarch/proto';
import type { ReplicaSets } from './replica-sets.ts';
import { replicasOf } from './strategy.ts';

/** How many Pods each part of a Deployment shall have in the end, or at the present step of a canary. */
export interface Goals {
  /** Of today's template, whether it has a ReplicaSet yet or not. */
  readonly current: number;
  /** What serves beside it while it is tried. */
  readonly stable: number;
  readonly of: (replicaSet: Live<ReplicaSet>) => number;
}

/** All Pods of today's template, unless a canary leaves the rest to what was there before. */
export function goalsOf({ spec }: Live<Deployment>, sets: ReplicaSets, canary: CanaryStatus | undefined): Goals {
  const desired = replicasOf(spec);
  const current = canary === undefined ? desired : Math.min(canary.replicas, desired);
  const stable = desired - current;
  const goal = (replicaSet: Live<ReplicaSet>) => {
    if (replicaSet === sets.current) return current;
    return replicaSet === sets.lastGood ? stable : 0;
  };
  return { current, stable, of: goal };
}
