import { controllerOf, job } from '@navarch/kinds';
import { formatLabelSelector, humanDuration, type Live } from '@navarch/machinery';
import type { Job, JobSpec } from '@navarch/proto';
import { conditionTable } from './conditions.ts';
import { labelsEntry, metadataEntries } from './generic.ts';
import type { Entry } from './outline.ts';
import { containerEntries, volumeEntries } from './pod-template.ts';
import { timeText } from './time.ts';

export function describeJob(object: Live<Job>): readonly Entry[] {
  const { metadata, spec, status } = object;
  const [name, namespace, ...more] = metadataEntries(job, object);
  const owner = controllerOf({ metadata });
  return [
    ...[name, namespace].filter((entry) => entry !== undefined),
    { label: 'Selector', value: formatLabelSelector(spec.selector) },
    ...more,
    ...optional('Controlled By', owner && `${owner.kind}/${owner.name}`),
    ...workEntries(spec),
    { label: 'Completion Mode', value: spec.completionMode ?? 'NonIndexed' },
    { label: 'Suspend', value: String(spec.suspend ?? false) },
    { label: 'Backoff Limit', value: spec.backoffLimit ?? '' },
    ...optional('Backoff Limit Per Index', spec.backoffLimitPerIndex),
    ...optional('Max Failed Indexes', spec.maxFailedIndexes),
    ...optional('TTL Seconds After Finished', spec.ttlSecondsAfterFinished),
    ...timeEntries(object),
    ...optional('Active Deadline Seconds', spec.activeDeadlineSeconds),
    { label: 'Pods Statuses', value: numbersText(object) },
    ...(spec.completionMode === 'Indexed'
      ? [{ label: 'Completed Indexes', value: status.completedIndexes || '<none>' }]
      : []),
    ...optional('Failed Indexes', status.failedIndexes),
    podTemplateEntry(spec),
    { label: 'Conditions', table: conditionTable(status.conditions) },
  ];
}

/** What the pages of Jobs and of what makes them have in common. */
export function workEntries({ parallelism, completions }: JobSpec): readonly Entry[] {
  return [
    { label: 'Parallelism', value: parallelism ?? 1 },
    { label: 'Completions', value: completions ?? '<unset>' },
  ];
}

export function podTemplateEntry({ template }: JobSpec): Entry {
  const podSpec = template?.spec;
  return {
    label: 'Pod Template',
    entries: [
      labelsEntry('Labels', template?.metadata?.labels),
      ...(podSpec === undefined ? [] : [...containerEntries(podSpec), ...volumeEntries(podSpec)]),
    ],
  };
}

/** The entry, where there is something to say. */
export function optional(label: string, value: string | number | undefined): readonly Entry[] {
  return value === undefined || value === '' ? [] : [{ label, value }];
}

function timeEntries({ status: { startTime, completionTime } }: Live<Job>): readonly Entry[] {
  if (startTime === '') return [];
  const start = { label: 'Start Time', value: timeText(startTime) };
  if (completionTime === '') return [start];
  const duration = humanDuration(Date.parse(completionTime) - Date.parse(startTime));
  return [start, { label: 'Completed At', value: timeText(completionTime) }, { label: 'Duration', value: duration }];
}

function numbersText({ status }: Live<Job>): string {
  const { active, ready = 0, succeeded, failed, terminating = 0 } = status;
  const ending = terminating === 0 ? '' : ` / ${terminating} Terminating`;
  return `${active} Active (${ready} Ready) / ${succeeded} Succeeded / ${failed} Failed${ending}`;
}
