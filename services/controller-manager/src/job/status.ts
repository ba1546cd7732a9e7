import { job as jobKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Condition, Job, JobStatus } from '@navarch/proto';
import { conditionOf, withCondition } from '../conditions.ts';
import type { PlannedEvent } from '../plan.ts';
import { isReady } from '../pod-state.ts';
import { timestamp } from '../time.ts';
import type { Outcome } from './outcome.ts';
import type { JobPods } from './pods.ts';

/** Whether the Job is complete or has failed, and its Pods have ended: nothing of it changes any more. */
export function isFinished(job: Live<Job>): boolean {
  return finishedCondition(job) !== undefined;
}

export function finishedCondition({ status }: Live<Job>): Condition | undefined {
  return status.conditions.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');
}

/** The status with what the Pods are now. The Job has begun as soon as it is looked at while it isn't suspended. */
export function seenStatus({ status, spec }: Live<Job>, { active, terminating }: JobPods, now: number): JobStatus {
  const begins = status.startTime === '' && spec.suspend !== true;
  return {
    ...status,
    startTime: begins ? timestamp(now) : status.startTime,
    active: active.length,
    ready: active.filter(isReady).length,
    terminating: terminating.length,
  };
}

/** Whether what the conditions say about being suspended is no longer what is wanted. */
export function isSuspensionNews({ spec, status }: Live<Job>): boolean {
  const suspended = conditionOf(status.conditions, 'Suspended')?.status === 'True';
  return suspended !== (spec.suspend === true);
}

/** `status` with what is wanted said. When the Job goes on, its time begins anew. */
export function withSuspension({ spec }: Live<Job>, status: JobStatus, now: number): JobStatus {
  const [claim, startTime] = spec.suspend
    ? [{ status: 'True', reason: 'JobSuspended', message: 'Job suspended' } as const, status.startTime]
    : [{ status: 'False', reason: 'JobResumed', message: 'Job resumed' } as const, timestamp(now)];
  const conditions = withCondition(status.conditions, { type: 'Suspended', ...claim }, now);
  return { ...status, startTime, conditions };
}

export function suspensionEvent(job: Live<Job>): PlannedEvent {
  const [reason, message] = job.spec.suspend ? ['Suspended', 'Job suspended'] : ['Resumed', 'Job resumed'];
  return { kind: jobKind, object: job, type: 'Normal', reason, message };
}

/** `status` with the outcome said; with `over` the last word, too. */
export function withOutcome(status: JobStatus, outcome: Outcome, over: boolean, now: number): JobStatus {
  const { type, reason, message } = outcome;
  const decided = withCondition(status.conditions, { type, status: 'True', reason, message }, now);
  if (!over) return { ...status, conditions: decided };
  const complete = type === 'SuccessCriteriaMet';
  const last = { type: complete ? 'Complete' : 'Failed', status: 'True', reason, message } as const;
  return {
    ...status,
    completionTime: complete ? timestamp(now) : '',
    conditions: withCondition(decided, last, now),
  };
}

export function outcomeEvent(job: Live<Job>, { type, reason, message }: Outcome): PlannedEvent {
  return type === 'SuccessCriteriaMet'
    ? { kind: jobKind, object: job, type: 'Normal', reason: 'Completed', message: 'Job completed' }
    : { kind: jobKind, object: job, type: 'Warning', reason, message };
}
