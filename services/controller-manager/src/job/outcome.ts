import { IndexSet, type Live } from '@navarch/machinery';
import type { Job, Pod, SuccessPolicyRule } from '@navarch/proto';
import { conditionOf } from '../conditions.ts';
import { parseTimestamp } from '../time.ts';
import { judge } from './failure-policy.ts';
import { hasLimitPerIndex, type Indexes } from './indexes.ts';
import { isIndexed, type JobPods } from './pods.ts';

/** How a Job ends. Its Pods may be ending still. */
export interface Outcome {
  readonly type: 'SuccessCriteriaMet' | 'FailureTarget';
  readonly reason: string;
  readonly message: string;
}

export interface Numbers {
  readonly succeeded: number;
  readonly failed: number;
}

/** Whether the Job has come to its end, and why; undefined while it goes on. Once decided, it stays so. */
export function outcomeOf(
  job: Live<Job>,
  pods: JobPods,
  indexes: Indexes,
  numbers: Numbers,
  now: number,
): Outcome | undefined {
  return (
    decidedBefore(job) ??
    failureByPolicy(job, pods) ??
    failureByNumber(job, pods, numbers) ??
    failureByTime(job, now) ??
    failureByIndexes(job, indexes) ??
    successByPolicy(job, indexes) ??
    completion(job, pods, numbers)
  );
}

function decidedBefore({ status }: Live<Job>): Outcome | undefined {
  for (const type of ['SuccessCriteriaMet', 'FailureTarget'] as const) {
    const condition = conditionOf(status.conditions, type);
    if (condition?.status === 'True') return { type, reason: condition.reason, message: condition.message };
  }
  return undefined;
}

function failureByPolicy(job: Live<Job>, { failed }: JobPods): Outcome | undefined {
  const verdict = failed.map((pod) => judge(job, pod)).find(({ action }) => action === 'FailJob');
  return verdict && failure('PodFailurePolicy', verdict.message);
}

function failureByNumber(job: Live<Job>, pods: JobPods, { failed }: Numbers): Outcome | undefined {
  const limit = job.spec.backoffLimit ?? 6;
  if (failed <= limit && !isPastLimitByRestarts(job, pods, limit)) return undefined;
  return failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
}

/** Where containers are started again in their Pods, these starts are the failures. */
function isPastLimitByRestarts({ spec }: Live<Job>, { active }: JobPods, limit: number): boolean {
  if (spec.template?.spec?.restartPolicy !== 'OnFailure') return false;
  const restarts = active.reduce((sum, { status }) => sum + restartsOf(status), 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function restartsOf({ containerStatuses, initContainerStatuses }: Live<Pod>['status']): number {
  return [...containerStatuses, ...initContainerStatuses].reduce((sum, { restartCount }) => sum + restartCount, 0);
}

function failureByTime(job: Live<Job>, now: number): Outcome | undefined {
  if (deadlineInMs(job, now) !== 0) return undefined;
  return failure('DeadlineExceeded', 'Job was active longer than specified deadline');
}

/** Milliseconds until the Job's deadline: 0 when it has passed, undefined when there is none, or the Job is suspended. */
export function deadlineInMs({ spec, status }: Live<Job>, now: number): number | undefined {
  // The time of a Job that goes on again begins anew, once that is written down.
  const suspended = spec.suspend === true || conditionOf(status.conditions, 'Suspended')?.status === 'True';
  const startMs = parseTimestamp(status.startTime);
  if (spec.activeDeadlineSeconds === undefined || suspended || startMs === undefined) return undefined;
  return Math.max(0, startMs + spec.activeDeadlineSeconds * 1000 - now);
}

function failureByIndexes(job: Live<Job>, { failed, completed }: Indexes): Outcome | undefined {
  const { maxFailedIndexes, completions = 0 } = job.spec;
  if (!hasLimitPerIndex(job) || failed.size === 0) return undefined;
  if (maxFailedIndexes !== undefined && failed.size > maxFailedIndexes) {
    return failure('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  }
  return failed.size + completed.size >= completions ? failure('FailedIndexes', 'Job has failed indexes') : undefined;
}

function successByPolicy(job: Live<Job>, { completed }: Indexes): Outcome | undefined {
  if (!isIndexed(job)) return undefined;
  const rule = (job.spec.successPolicy?.rules ?? []).findIndex((each) => isMet(each, completed));
  return rule < 0 ? undefined : success('SuccessPolicy', `Matched rules at index ${rule}`);
}

function isMet({ succeededIndexes, succeededCount }: SuccessPolicyRule, completed: IndexSet): boolean {
  if (succeededIndexes === undefined) return succeededCount !== undefined && completed.size >= succeededCount;
  const wanted = IndexSet.parse(succeededIndexes) ?? IndexSet.empty;
  return completed.intersection(wanted).size >= (succeededCount ?? wanted.size);
}

/** All is done, and nobody is at work any more. */
function completion({ spec }: Live<Job>, { active }: JobPods, { succeeded }: Numbers): Outcome | undefined {
  const enough = spec.completions === undefined ? succeeded > 0 : succeeded >= spec.completions;
  if (!enough || active.length > 0) return undefined;
  return success('CompletionsReached', 'Reached expected number of succeeded pods');
}

function success(reason: string, message: string): Outcome {
  return { type: 'SuccessCriteriaMet', reason, message };
}

function failure(reason: string, message: string): Outcome {
  return { type: 'FailureTarget', reason, message };
}
