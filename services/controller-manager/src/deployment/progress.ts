import type { Condition } from '@navarch/proto';
import { type ConditionClaim, conditionOf, withCondition } from '../conditions.ts';
import { parseTimestamp, timestamp } from '../time.ts';
import type { Counts, Seen } from './seen.ts';

export interface Progress {
  readonly conditions: (present: readonly Condition[]) => Condition[];
  /** When the rollout will count as stuck, unless something moves before. */
  readonly deadlineInMs: number | undefined;
}

/** Reasons after which a rollout begins anew: nobody counts the time before. */
const standstills = new Set(['DeploymentPaused', 'CanaryPaused', 'ConfigurationMissing']);
/** The deadline that means none, as Kubernetes has it. */
const noDeadline = 2 ** 31 - 1;

/** How the rollout goes, as the condition Progressing. Reasons are Kubernetes', but for those that only Navarch needs. */
export function progressOf(seen: Seen, counts: Counts, isComplete: boolean, now: number): Progress {
  const { deployment, sets, canary, failure, created, lacks } = seen;
  const { spec, status: before } = deployment;
  const present = conditionOf(before.conditions, 'Progressing');
  const seconds = spec.progressDeadlineSeconds ?? 600;
  const deadlineMs = seconds >= noDeadline ? undefined : seconds * 1000;
  const claim = (status: ConditionClaim['status'], reason: string, message: string, deadlineInMs?: number) => ({
    conditions: (list: readonly Condition[]) =>
      withCondition(list, { type: 'Progressing', status, reason, message }, now),
    deadlineInMs,
  });

  if (lacks !== undefined) return claim('Unknown', 'ConfigurationMissing', `Waiting for ${lacks}`);
  if (failure !== undefined) return claim('False', 'ReplicaSetCreateError', failure);
  if (spec.paused) return claim('Unknown', 'DeploymentPaused', 'Deployment is paused');
  if (present?.reason === 'DeploymentPaused')
    return claim('Unknown', 'DeploymentResumed', 'Deployment is resumed', deadlineMs);
  if (created !== undefined)
    return claim('True', 'NewReplicaSetCreated', `Created new replica set "${created}"`, deadlineMs);

  const name = sets.current?.metadata.name;
  const what = name === undefined ? 'Deployment' : `ReplicaSet "${name}"`;
  const isOfCurrent = name !== undefined && present?.message.includes(`"${name}"`);
  if (isComplete) return claim('True', 'NewReplicaSetAvailable', `${what} has successfully progressed.`);
  // Pods that come and go after the rollout was done are no new rollout: that begins with another ReplicaSet.
  if (present?.reason === 'NewReplicaSetAvailable' && isOfCurrent) return keep();
  if (canary?.paused && name !== undefined) {
    const until = canary.pausedUntil === '' ? 'it is promoted' : canary.pausedUntil;
    const place = `${canary.done + 1} of ${canary.steps}`;
    return claim('Unknown', 'CanaryPaused', `${what} pauses at step ${place} until ${until}`);
  }
  const progressing = claim('True', 'ReplicaSetUpdated', `${what} is progressing.`, deadlineMs);
  const begins = present === undefined || (name === undefined && present.reason === 'NewReplicaSetAvailable');
  if (begins || standstills.has(present.reason)) return touched(progressing, now);
  if (name !== undefined && !isOfCurrent && present.reason !== 'DeploymentResumed')
    return claim('True', 'FoundNewReplicaSet', `Found new replica set "${name}"`, deadlineMs);
  if (hasMoved(counts, before)) return touched(progressing, now);
  if (deadlineMs === undefined) return keep();
  const leftMs = (parseTimestamp(present.lastUpdateTime) ?? now) + deadlineMs - now;
  if (leftMs > 0) return keep(leftMs);
  return claim('False', 'ProgressDeadlineExceeded', `${what} has timed out progressing.`);
}

function hasMoved(counts: Counts, before: Counts): boolean {
  return (
    counts.updatedReplicas > before.updatedReplicas ||
    counts.replicas - counts.updatedReplicas < before.replicas - before.updatedReplicas ||
    counts.readyReplicas > before.readyReplicas ||
    counts.availableReplicas > before.availableReplicas
  );
}

function keep(deadlineInMs?: number): Progress {
  return { conditions: (present) => [...present], deadlineInMs };
}

/** Moves the time from which the deadline counts. */
function touched({ conditions, deadlineInMs }: Progress, now: number): Progress {
  return {
    deadlineInMs,
    conditions: (present) =>
      conditions(present).map((condition) =>
        condition.type === 'Progressing' ? { ...condition, lastUpdateTime: timestamp(now) } : condition,
      ),
  };
}
