import { cronJob } from '@navarch/kinds';
import { humanDuration, type Live, parseSchedule } from '@navarch/machinery';
import type { CronJob } from '@navarch/proto';
import type { Session } from '../session.ts';
import { metadataEntries } from './generic.ts';
import { optional, podTemplateEntry, workEntries } from './job.ts';
import type { Entry } from './outline.ts';
import { timeText } from './time.ts';

export function describeCronJob(object: Live<CronJob>, session: Session): readonly Entry[] {
  const { spec, status } = object;
  const job = spec.jobTemplate?.spec;
  return [
    ...metadataEntries(cronJob, object),
    { label: 'Schedule', value: spec.schedule },
    { label: 'Time Zone', value: spec.timeZone ?? '<unset>, which is UTC' },
    { label: 'Concurrency Policy', value: spec.concurrencyPolicy ?? 'Allow' },
    { label: 'Suspend', value: String(spec.suspend ?? false) },
    { label: 'Successful Job History Limit', value: spec.successfulJobsHistoryLimit ?? '<unset>' },
    { label: 'Failed Job History Limit', value: spec.failedJobsHistoryLimit ?? '<unset>' },
    { label: 'Starting Deadline Seconds', value: spec.startingDeadlineSeconds ?? '<unset>' },
    ...(job === undefined
      ? []
      : [
          ...workEntries(job),
          ...optional('Active Deadline Seconds', job.activeDeadlineSeconds),
          podTemplateEntry(job),
        ]),
    { label: 'Last Schedule Time', value: timeText(status.lastScheduleTime) },
    { label: 'Last Successful Time', value: timeText(status.lastSuccessfulTime) },
    { label: 'Next Schedule Time', value: nextText(object, session.io.now()) },
    { label: 'Active Jobs', value: status.active.map(({ name }) => name).join(', ') || '<none>' },
  ];
}

function nextText({ spec }: Live<CronJob>, now: number): string {
  if (spec.suspend === true) return '<none>, it is suspended';
  const schedule = parseSchedule(spec.schedule, spec.timeZone ?? 'UTC');
  const next = typeof schedule === 'string' ? undefined : schedule.next(now);
  return next === undefined ? '<none>' : `${timeText(new Date(next).toISOString())} (in ${humanDuration(next - now)})`;
}
