import type { Live } from '@navarch/machinery';
import type { Job, JobStatus, Pod } from '@navarch/proto';
import { backoffAfter } from './back-off.ts';
import { judge } from './failure-policy.ts';
import { hasLimitPerIndex, type Indexes, indexesOf } from './indexes.ts';
import type { Numbers, Outcome } from './outcome.ts';
import { indexOf, isIndexed, type JobPods, sortOut } from './pods.ts';

/** What the Job's numbers are with everything in them that can be seen, counted yet or not. */
export function numbersOf(job: Live<Job>, pods: JobPods, { completed }: Indexes): Numbers {
  const { succeeded, failed } = job.status;
  return {
    succeeded: isIndexed(job) ? completed.size : succeeded + pods.succeeded.length,
    failed: failed + pods.failed.filter((pod) => countsAsFailure(job, pod)).length,
  };
}

/** The Pods that can be counted and let go now: those that are over. When the Job is, all that are left. */
export function toCount(pods: JobPods, { last }: Indexes, outcome: Outcome | undefined): readonly Live<Pod>[] {
  if (outcome !== undefined) return pods.tracked;
  const held = new Set(last.values());
  const over = new Set([...pods.succeeded, ...pods.failed]);
  return pods.tracked.filter((pod) => over.has(pod) && !held.has(pod));
}

/**
 * The Job's numbers once these Pods are counted. When a Job fails, all of its Pods that have not succeeded have failed; when
 * it succeeds before all of them have ended, those that are ended for that count as nothing.
 */
export function countedStatus(
  job: Live<Job>,
  counted: readonly Live<Pod>[],
  outcome: Outcome | undefined,
  now: number,
): Pick<JobStatus, 'succeeded' | 'failed' | 'completedIndexes' | 'failedIndexes' | 'backoff'> {
  const { status } = job;
  const these = sortOut(job, counted);
  const failed = outcome?.type === 'FailureTarget' ? counted.filter((pod) => !hasSucceeded(pod)) : these.failed;
  const indexes = indexesOf(job, these);
  return {
    ...indexTexts(job, indexes),
    succeeded: isIndexed(job) ? indexes.completed.size : status.succeeded + these.succeeded.length,
    failed: status.failed + failed.filter((pod) => countsAsFailure(job, pod)).length,
    backoff: hasLimitPerIndex(job)
      ? undefined
      : backoffAfter(
          status.backoff,
          these.tracked.filter((pod) => these.failed.includes(pod) || hasSucceeded(pod)),
          now,
        ),
  };
}

function indexTexts(
  job: Live<Job>,
  { completed, failed }: Indexes,
): Pick<JobStatus, 'completedIndexes' | 'failedIndexes'> {
  return { completedIndexes: String(completed), failedIndexes: hasLimitPerIndex(job) ? String(failed) : undefined };
}

function hasSucceeded({ status }: Live<Pod>): boolean {
  return status.phase === 'Succeeded';
}

/** A Pod of no index of the Job's counts for nothing, nor does one whose failure the policy ignores. */
function countsAsFailure(job: Live<Job>, pod: Live<Pod>): boolean {
  if (isIndexed(job) && indexOf(job, pod) === undefined) return false;
  return judge(job, pod).action !== 'Ignore';
}
