import { cronJob as cronJobKind, scheduledTimeAnnotation } from '@navarch/kinds';
import { type Live, timeInZone } from '@navarch/machinery';
import { type CronJob, type Job, ObjectMeta } from '@navarch/proto';
import { controllerReference } from '../ownership.ts';

/** The clock that a CronJob without a time zone goes by. */
export const standardZone = 'UTC';

/** The name of the Job for one time of the schedule: always the same, so that it can't be made twice. */
export function jobName({ metadata }: Live<CronJob>, scheduledMs: number): string {
  return `${metadata.name}-${Math.floor(scheduledMs / 60_000)}`;
}

export function newJob(cronJob: Live<CronJob>, scheduledMs: number): Job {
  const { metadata, spec } = cronJob;
  const { labels = {}, annotations = {}, finalizers = [] } = spec.jobTemplate?.metadata ?? {};
  const scheduled = timeInZone(scheduledMs, spec.timeZone ?? standardZone);
  return {
    metadata: ObjectMeta.create({
      name: jobName(cronJob, scheduledMs),
      namespace: metadata.namespace,
      labels,
      annotations: { ...annotations, [scheduledTimeAnnotation]: scheduled },
      finalizers,
      ownerReferences: [controllerReference(cronJobKind, cronJob)],
    }),
    spec: structuredClone(spec.jobTemplate?.spec),
    status: undefined,
  };
}
