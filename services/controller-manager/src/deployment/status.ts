import { isAutoRollback } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Condition, Deployment, DeploymentStatus } from '@navarch/proto';
import { type ConditionClaim, conditionOf, withCondition, withoutCondition } from '../conditions.ts';
import { sooner } from '../plan.ts';
import { parseTimestamp } from '../time.ts';
import { standingRecord } from './auto-rollback.ts';
import { isCanaryDone } from './canary.ts';
import { progressOf } from './progress.ts';
import type { Counts, Seen } from './seen.ts';
import { type ReplicaSets, sumOfReplicas, sumOfStatus } from './replica-sets.ts';
import { isRecreate, replicasOf, rollingLimits } from './strategy.ts';

export interface StatusResult {
  readonly status: DeploymentStatus;
  /** When time alone will change it: the rollout's deadline, or the end of a pause. */
  readonly againAfterMs: number | undefined;
}

/**
 * The status as it must be now. Conditions and their reasons are Kubernetes':
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
 */
export function deploymentStatus(seen: Seen, now: number): StatusResult {
  const { deployment, sets, canary } = seen;
  const collisionCount = seen.collisions ?? deployment.status.collisionCount ?? 0;
  const counts = countsOf(seen);
  const isComplete = isRolledOut(seen, counts);
  const progress = progressOf(seen, counts, isComplete, now);
  let { conditions } = deployment.status;
  conditions = withCondition(conditions, availability(deployment, counts), now);
  conditions = progress.conditions(conditions);
  conditions = withOrWithout(conditions, 'ReplicaFailure', replicaFailure(sets), now);
  conditions = withOrWithout(conditions, 'RolledBack', rolledBack(seen), now);

  const proven = goodInMs(seen, counts, isComplete);
  const lastGood = proven === 0 ? sets.current?.metadata.name : deployment.status.release?.lastGood;
  const pauseEndsInMs = canary?.paused && canary.pausedUntil !== '' ? msUntil(canary.pausedUntil, now) : undefined;
  const isCanary = canary !== undefined && proven !== 0;
  const release =
    lastGood === undefined && !isCanary
      ? undefined
      : { lastGood: lastGood ?? '', canary: isCanary ? canary : undefined };
  return {
    status: { ...counts, conditions, release, collisionCount: collisionCount > 0 ? collisionCount : undefined },
    againAfterMs: [progress.deadlineInMs, pauseEndsInMs, proven === 0 ? undefined : proven].reduce(sooner, undefined),
  };
}

function countsOf({ deployment: { metadata, spec }, sets: { current, all } }: Seen): Counts {
  const availableReplicas = sumOfStatus(all, 'availableReplicas');
  return {
    observedGeneration: metadata.generation,
    replicas: sumOfStatus(all, 'replicas'),
    updatedReplicas: current?.status.replicas ?? 0,
    readyReplicas: sumOfStatus(all, 'readyReplicas'),
    availableReplicas,
    unavailableReplicas: Math.max(0, Math.max(sumOfReplicas(all), replicasOf(spec)) - availableReplicas),
  };
}

function isRolledOut({ deployment: { spec }, sets: { current }, canary }: Seen, counts: Counts): boolean {
  const desired = replicasOf(spec);
  return (
    current !== undefined &&
    counts.updatedReplicas === desired &&
    counts.replicas === desired &&
    counts.availableReplicas === desired &&
    replicasOf(current.spec) === desired &&
    (canary === undefined || isCanaryDone(canary))
  );
}

/**
 * Milliseconds until what is rolled out counts as good: 0 when it does, undefined when nobody can tell yet. Where a rollout
 * may go back, its Pods have to stay up for a while: one that crashes after a second was available, too.
 */
function goodInMs({ deployment, health }: Seen, counts: Counts, isComplete: boolean): number | undefined {
  // Of no Pods at all everything is true.
  if (!isComplete || replicasOf(deployment.spec) === 0) return undefined;
  if (!isAutoRollback(deployment)) return 0;
  if (health.of < counts.replicas) return undefined;
  return health.proven ? 0 : health.againAfterMs;
}

function availability({ spec }: Live<Deployment>, { availableReplicas }: Counts): ConditionClaim {
  const unavailable = isRecreate(spec) ? 0 : rollingLimits(spec).maxUnavailable;
  return availableReplicas >= replicasOf(spec) - unavailable
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

function replicaFailure({ current, old }: ReplicaSets): ConditionClaim | undefined {
  const failure = [current, ...old]
    .map((set) => conditionOf(set?.status.conditions, 'ReplicaFailure'))
    .find((condition) => condition !== undefined);
  return failure && { type: 'ReplicaFailure', status: 'True', reason: failure.reason, message: failure.message };
}

function rolledBack({ deployment, sets, known }: Seen): ConditionClaim | undefined {
  const record = standingRecord(deployment, sets, known);
  if (record === undefined) return undefined;
  const message = `${record.from} was taken back, ${record.to} runs again: ${record.message}`;
  return { type: 'RolledBack', status: 'True', reason: record.reason, message };
}

function withOrWithout(
  conditions: readonly Condition[],
  type: string,
  claim: ConditionClaim | undefined,
  now: number,
): Condition[] {
  return claim === undefined ? withoutCondition(conditions, type) : withCondition(conditions, claim, now);
}

function msUntil(time: string, now: number): number {
  return Math.max(1, (parseTimestamp(time) ?? now) - now);
}
