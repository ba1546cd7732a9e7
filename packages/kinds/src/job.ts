import { humanDuration } from '@navarch/machinery';
import { Job } from '@navarch/proto';
import { defineKind } from './define-kind.ts';
import { completeJob } from './job-complete.ts';
import { validateJob } from './job-rules.ts';
import { validateJobUpdate } from './job-update.ts';
import { templateColumns } from './template.ts';

export const job = defineKind('job', Job, {
  group: 'batch',
  plural: 'jobs',
  categories: ['all'],
  columns: [
    { title: 'STATUS', value: statusText },
    { title: 'COMPLETIONS', value: completionsText },
    { title: 'DURATION', value: durationText },
    ...templateColumns,
  ],
  selectableFields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  complete: completeJob,
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  example: 'kinds/job.yaml',
});

/** The first of these that holds. Source: kubernetes pkg/printers/internalversion printJob. */
function statusText({ metadata, status }: Job): string {
  const holds = (wanted: string) =>
    status?.conditions.some((condition) => condition.type === wanted && condition.status === 'True') === true;
  for (const type of ['Complete', 'Failed']) if (holds(type)) return type;
  if (metadata?.deletionTimestamp) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(holds) ?? 'Running';
}

function completionsText({ spec, status }: Job): string {
  const { completions, parallelism = 1 } = spec ?? {};
  const wanted = completions ?? (parallelism > 1 ? `1 of ${parallelism}` : 1);
  return `${status?.succeeded ?? 0}/${wanted}`;
}

function durationText({ status }: Job, now: number): string {
  const { startTime = '', completionTime = '' } = status ?? {};
  if (startTime === '') return '';
  return humanDuration((completionTime === '' ? now : Date.parse(completionTime)) - Date.parse(startTime));
}
