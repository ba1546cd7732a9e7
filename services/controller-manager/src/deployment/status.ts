import type { Live } from '@navarch/machinery';
import type { Condition, Deployment, DeploymentStatus } from '@navarch/proto';
import { type ConditionClaim, conditionOf, withCondition, withoutCondition } from '../conditions.ts';
import { parseTimestamp, timestamp } from '../time.ts';
import { type ReplicaSets, sumOfStatus } from './replica-sets.ts';
import { replicasOf, rollingLimits } from './strategy.ts';

export interface StatusResult {
  readonly status: DeploymentStatus;
  /** When the rollout will count as stuck, unless something moves before. */
  readonly deadlineInMs: number | undefined;
}

/**
 * The status as it must be now. Conditions and their reasons are Kubernetes':
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
 */
export function deploymentStatus(
  deployment: Live<Deployment>,
  sets: ReplicaSets,
  collisions: number,
  now: number,
): StatusResult {
  const { metadata, spec, status: before } = deployment;
  const { current, all } = sets;
  const desired = replicasOf(spec);
  const available = sumOfStatus(all, 'availableReplicas');
  const total = sumOfStatus(all, 'replicas');
  const counts = {
    observedGeneration: metadata.generation,
    replicas: total,
    updatedReplicas: current?.status.replicas ?? 0,
    readyReplicas: sumOfStatus(all, 'readyReplicas'),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, Math.max(total, desired) - available),
    ...(collisions > 0 && { collisionCount: collisions }),
  };
  const isAvailable = available >= desired - rollingLimits(spec).maxUnavailable;
  let conditions: Condition[] = withCondition(
    before.conditions,
    isAvailable
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
        },
    now,
  );
  const progress = progressCondition(deployment, sets, counts, now);
  conditions = progress.conditions(conditions);

  const failure = [current, ...sets.old]
    .map((set) => conditionOf(set?.status.conditions, 'ReplicaFailure'))
    .find(Boolean);
  conditions =
    failure === undefined
      ? withoutCondition(conditions, 'ReplicaFailure')
      : withCondition(
          conditions,
          { type: 'ReplicaFailure', status: 'True', reason: failure.reason, message: failure.message },
          now,
        );
  return { status: { ...counts, conditions }, deadlineInMs: progress.deadlineInMs };
}

type Counts = Pick<DeploymentStatus, 'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas'>;

function progressCondition(
  { spec, status: before }: Live<Deployment>,
  { current }: ReplicaSets,
  counts: Counts,
  now: number,
) {
  const claim = (status: ConditionClaim['status'], reason: string, message: string) => {
    const conditions = (present: Condition[]) =>
      withCondition(present, { type: 'Progressing', status, reason, message }, now);
    return { conditions, deadlineInMs: undefined };
  };
  if (spec.paused) return claim('Unknown', 'DeploymentPaused', 'Deployment is paused');

  const present = conditionOf(before.conditions, 'Progressing');
  const name = current === undefined ? 'Deployment' : `ReplicaSet "${current.metadata.name}"`;
  const desired = replicasOf(spec);
  const complete =
    current !== undefined &&
    counts.updatedReplicas === desired &&
    counts.replicas === desired &&
    counts.availableReplicas === desired &&
    replicasOf(current.spec) === desired;
  if (complete) return claim('True', 'NewReplicaSetAvailable', `${name} has successfully progressed.`);
  // Pods that come and go after the rollout was done are no new rollout: that begins with another ReplicaSet.
  if (present?.reason === 'NewReplicaSetAvailable' && present.message.startsWith(name)) return keep(undefined);

  const moved =
    counts.updatedReplicas > before.updatedReplicas ||
    counts.replicas - counts.updatedReplicas < before.replicas - before.updatedReplicas ||
    counts.readyReplicas > before.readyReplicas ||
    counts.availableReplicas > before.availableReplicas;
  const begins =
    present === undefined || present.reason === 'NewReplicaSetAvailable' || present.reason === 'DeploymentPaused';
  const otherSet = present !== undefined && !present.message.startsWith(name);
  if (moved || begins || otherSet) {
    const conditions = (list: Condition[]) =>
      touched(
        withCondition(
          list,
          { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: `${name} is progressing.` },
          now,
        ),
        now,
      );
    return { conditions, deadlineInMs: (spec.progressDeadlineSeconds ?? 600) * 1000 };
  }
  const sinceMs = parseTimestamp(present.lastUpdateTime) ?? now;
  const leftMs = sinceMs + (spec.progressDeadlineSeconds ?? 600) * 1000 - now;
  if (leftMs <= 0) return claim('False', 'ProgressDeadlineExceeded', `${name} has timed out progressing.`);
  return keep(leftMs);
}

function keep(deadlineInMs: number | undefined) {
  return { conditions: (present: Condition[]) => present, deadlineInMs };
}

/** Moves the time from which the deadline counts. */
function touched(conditions: Condition[], now: number): Condition[] {
  return conditions.map((condition) =>
    condition.type === 'Progressing' ? { ...condition, lastUpdateTime: timestamp(now) } : condition,
  );
}
