import { age } from '@navarch/machinery';
import { CronJob } from '@navarch/proto';
import { none } from './columns.ts';
import { validateCronJob } from './cron-job-rules.ts';
import { defineKind } from './define-kind.ts';
import { completeJobSpec } from './job-complete.ts';
import { templateColumns } from './template.ts';

export { cronJobNameLimit } from './cron-job-rules.ts';

export const cronJob = defineKind('cronJob', CronJob, {
  group: 'batch',
  plural: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  columns: [
    { title: 'SCHEDULE', value: ({ spec }) => spec?.schedule ?? '' },
    { title: 'TIMEZONE', value: ({ spec }) => spec?.timeZone ?? none },
    { title: 'SUSPEND', value: ({ spec }) => (spec?.suspend === true ? 'True' : 'False') },
    { title: 'ACTIVE', type: 'integer', value: ({ status }) => status?.active.length ?? 0 },
    {
      title: 'LAST SCHEDULE',
      value: ({ status }, now) => (status?.lastScheduleTime ? age(status.lastScheduleTime, now) : none),
    },
    ...templateColumns.map((column) => ({
      ...column,
      value: ({ spec }: CronJob, now: number) => column.value({ spec: spec?.jobTemplate?.spec }, now),
    })),
  ],
  complete: ({ spec }) => {
    if (spec?.jobTemplate?.spec !== undefined) completeJobSpec(spec.jobTemplate.spec);
  },
  validate: validateCronJob,
  example: 'kinds/cronjob.yaml',
});
