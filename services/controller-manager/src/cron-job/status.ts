import { cronJob as cronJobKind, job as jobKind, scheduledTimeAnnotation } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { type CronJob, type CronJobStatus, type Job, ObjectReference } from '@navarch/proto';
import { finishedCondition, isFinished } from '../job/status.ts';
import type { PlannedEvent } from '../plan.ts';

/** Jobs that were made for a time of the schedule and are not finished. What people made from the CronJob by hand is theirs. */
export function activeJobs(jobs: readonly Live<Job>[]): readonly Live<Job>[] {
  return jobs
    .filter((job) => !isFinished(job) && job.metadata.annotations[scheduledTimeAnnotation] !== undefined)
    .toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
}

/** The status with what its Jobs are now. */
export function seenStatus({ status }: Live<CronJob>, jobs: readonly Live<Job>[]): CronJobStatus {
  const successes = jobs.map(({ status }) => status.completionTime).filter((time) => time !== '');
  return {
    ...status,
    active: activeJobs(jobs).map(referenceTo),
    lastSuccessfulTime: [status.lastSuccessfulTime, ...successes].toSorted().at(-1) ?? '',
  };
}

/** What became of the Jobs that were active before. */
export function endEvents(cronJob: Live<CronJob>, jobs: readonly Live<Job>[], next: CronJobStatus): PlannedEvent[] {
  const still = new Set(next.active.map(({ uid }) => uid));
  const ended = cronJob.status.active.filter(({ uid }) => !still.has(uid));
  return ended.map(({ uid, name }): PlannedEvent => {
    const found = jobs.find(({ metadata }) => metadata.uid === uid);
    const how = found && finishedCondition(found)?.type;
    const [type, reason, message] =
      how === undefined
        ? (['Warning', 'MissingJob', `Active job went missing: ${name}`] as const)
        : (['Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${how}`] as const);
    return { kind: cronJobKind, object: cronJob, type, reason, message };
  });
}

/** Finished Jobs beyond those to keep, the oldest. */
export function jobsToForget({ spec }: Live<CronJob>, jobs: readonly Live<Job>[]): readonly Live<Job>[] {
  const finished = jobs
    .filter(({ metadata }) => metadata.deletionTimestamp === '')
    .toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  const beyond = (type: string, limit: number | undefined) => {
    const these = finished.filter((job) => finishedCondition(job)?.type === type);
    return limit === undefined ? [] : these.slice(0, Math.max(0, these.length - limit));
  };
  return [...beyond('Complete', spec.successfulJobsHistoryLimit), ...beyond('Failed', spec.failedJobsHistoryLimit)];
}

function referenceTo({ metadata: { namespace, name, uid } }: Live<Job>): ObjectReference {
  const { apiVersion, kind } = jobKind;
  return ObjectReference.fromPartial({ apiVersion, kind, namespace, name, uid });
}

function orderOf({ metadata, status }: Live<Job>): string {
  return `${status.startTime || metadata.creationTimestamp} ${metadata.name}`;
}
