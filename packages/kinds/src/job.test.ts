import { applyDefaults, type FieldError, validateImmutable } from '@navarch/machinery';
import { CronJob, Job } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { cronJob } from './cron-job.ts';
import { job } from './job.ts';

type JobSpec = NonNullable<Parameters<typeof Job.fromPartial>[0]['spec']>;
type CronJobSpec = NonNullable<Parameters<typeof CronJob.fromPartial>[0]['spec']>;
const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'work', image: 'x' }] } };
const never = (more = {}) => ({ template, ...more });
const indexed = (more: JobSpec = {}): JobSpec => never({ completionMode: 'Indexed', completions: 5, ...more });

function made(spec: JobSpec, metadata = {}): Job {
  const object = Job.fromPartial({ metadata: { name: 'work', uid: 'u-1', ...metadata }, spec });
  applyDefaults(job.schema, object);
  job.complete?.(object);
  return object;
}
const errorsOf = (spec: JobSpec, metadata = {}) => job.validate?.(made(spec, metadata)) ?? [];
const paths = (errors: readonly FieldError[]) => errors.map(({ path }) => path);

describe('what a Job is when it does not say so', () => {
  test.each([
    { name: 'one Pod that must succeed', spec: never(), is: { completions: 1, parallelism: 1, backoffLimit: 6 } },
    { name: 'a queue of work', spec: never({ parallelism: 3 }), is: { completions: undefined, parallelism: 3 } },
    { name: 'one at a time', spec: never({ completions: 5 }), is: { completions: 5, parallelism: 1 } },
    {
      name: 'without a limit for all, when each index has one',
      spec: indexed({ backoffLimitPerIndex: 1 }),
      is: { backoffLimit: 2_147_483_647 },
    },
    { name: 'replacing what ends', spec: never(), is: { podReplacementPolicy: 'TerminatingOrFailed' } },
    {
      name: 'with a failure policy replacing only what failed',
      spec: never({
        podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }] },
      }),
      is: { podReplacementPolicy: 'Failed' },
    },
  ])('$name', ({ spec, is }) => {
    expect(errorsOf(spec)).toEqual([]);
    expect(made(spec).spec).toMatchObject(is);
  });

  test('chooses the Pods that carry its uid, and says so in its template', () => {
    const { spec } = made(never());
    expect(spec?.selector?.matchLabels).toEqual({ 'batch.kubernetes.io/controller-uid': 'u-1' });
    expect(spec?.template?.metadata?.labels).toEqual({
      'batch.kubernetes.io/controller-uid': 'u-1',
      'batch.kubernetes.io/job-name': 'work',
      'controller-uid': 'u-1',
      'job-name': 'work',
    });
  });

  test('with a selector of the writer, is left as it is', () => {
    const labels = { app: 'work' };
    const spec = {
      manualSelector: true,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, ...template },
    };
    expect(errorsOf(spec)).toEqual([]);
    expect(made(spec).spec?.template?.metadata?.labels).toEqual(labels);
  });
});

const failurePolicy = (rule: object, more: JobSpec = {}) => indexed({ podFailurePolicy: { rules: [rule] }, ...more });
const onExitCodes = { operator: 'In', values: [1] };

describe('what is refused', () => {
  test.each<{ name: string; spec: JobSpec; at: string; metadata?: object }>([
    {
      name: 'Pods without an end',
      spec: { template: { spec: { ...template.spec, restartPolicy: 'Always' } } },
      at: 'spec.template.spec.restartPolicy',
    },
    {
      name: 'indexes without a number',
      spec: never({ completionMode: 'Indexed', parallelism: 2 }),
      at: 'spec.completions',
    },
    { name: 'too many indexes at once', spec: indexed({ parallelism: 100_001 }), at: 'spec.parallelism' },
    {
      name: 'a limit for indexes that are none',
      spec: never({ backoffLimitPerIndex: 1 }),
      at: 'spec.backoffLimitPerIndex',
    },
    {
      name: 'failed indexes without a limit for each',
      spec: indexed({ maxFailedIndexes: 1 }),
      at: 'spec.maxFailedIndexes',
    },
    {
      name: 'more failed indexes than there are',
      spec: indexed({ backoffLimitPerIndex: 1, maxFailedIndexes: 6 }),
      at: 'spec.maxFailedIndexes',
    },
    {
      name: 'a limit for each index where containers are started again',
      spec: indexed({ backoffLimitPerIndex: 1, template: { spec: { ...template.spec, restartPolicy: 'OnFailure' } } }),
      at: 'spec.template.spec.restartPolicy',
    },
    {
      name: 'very many indexes without a limit of failed ones',
      spec: indexed({ completions: 100_001, backoffLimitPerIndex: 1 }),
      at: 'spec.maxFailedIndexes',
    },
    { name: 'a manager without a domain', spec: never({ managedBy: 'me' }), at: 'spec.managedBy' },
    { name: 'a name that hosts can not have', spec: indexed(), metadata: { name: 'a.b' }, at: 'metadata.name' },
    { name: 'a name that labels can not have', spec: never(), metadata: { name: 'a'.repeat(64) }, at: 'metadata.name' },
    { name: 'a selector of its own', spec: never({ selector: { matchLabels: { app: 'x' } } }), at: 'spec.selector' },
    {
      name: 'the labels of another Job',
      spec: { template: { ...template, metadata: { labels: { 'job-name': 'other' } } } },
      at: 'spec.template.metadata.labels.job-name',
    },
    {
      name: 'no selector where it is the writer who chooses',
      spec: never({ manualSelector: true }),
      at: 'spec.selector',
    },
    {
      name: 'a failure policy where containers are started again',
      spec: {
        ...failurePolicy({ action: 'FailJob', onExitCodes }),
        template: { spec: { ...template.spec, restartPolicy: 'OnFailure' } },
      },
      at: 'spec.template.spec.restartPolicy',
    },
    {
      name: 'a failure policy that replaces what ends',
      spec: failurePolicy({ action: 'Count', onExitCodes }, { podReplacementPolicy: 'TerminatingOrFailed' }),
      at: 'spec.podReplacementPolicy',
    },
    {
      name: 'a rule that matches nothing',
      spec: failurePolicy({ action: 'FailJob' }),
      at: 'spec.podFailurePolicy.rules[0]',
    },
    {
      name: 'a rule that matches two ways',
      spec: failurePolicy({ action: 'FailJob', onExitCodes, onPodConditions: [{ type: 'X' }] }),
      at: 'spec.podFailurePolicy.rules[0]',
    },
    {
      name: 'an index that fails where indexes have no limit',
      spec: failurePolicy({ action: 'FailIndex', onExitCodes }),
      at: 'spec.podFailurePolicy.rules[0].action',
    },
    {
      name: 'success as a failure',
      spec: failurePolicy({ action: 'FailJob', onExitCodes: { operator: 'In', values: [0, 1] } }),
      at: 'spec.podFailurePolicy.rules[0].onExitCodes.values',
    },
    {
      name: 'exit codes out of order',
      spec: failurePolicy({ action: 'FailJob', onExitCodes: { operator: 'In', values: [2, 1] } }),
      at: 'spec.podFailurePolicy.rules[0].onExitCodes.values',
    },
    {
      name: 'a container that is not there',
      spec: failurePolicy({ action: 'FailJob', onExitCodes: { ...onExitCodes, containerName: 'y' } }),
      at: 'spec.podFailurePolicy.rules[0].onExitCodes.containerName',
    },
    {
      name: 'success without indexes',
      spec: never({ successPolicy: { rules: [{ succeededCount: 1 }] } }),
      at: 'spec.successPolicy',
    },
    {
      name: 'success by nothing',
      spec: indexed({ successPolicy: { rules: [{}] } }),
      at: 'spec.successPolicy.rules[0]',
    },
    {
      name: 'success of an index that is not there',
      spec: indexed({ successPolicy: { rules: [{ succeededIndexes: '1-5' }] } }),
      at: 'spec.successPolicy.rules[0].succeededIndexes',
    },
    {
      name: 'success of more than there are',
      spec: indexed({ successPolicy: { rules: [{ succeededIndexes: '1-3', succeededCount: 4 }] } }),
      at: 'spec.successPolicy.rules[0].succeededCount',
    },
  ])('$name', ({ spec, at, metadata }) => {
    expect(paths(errorsOf(spec, metadata))).toContain(at);
  });
});

describe('what may change', () => {
  const before = (spec: JobSpec, startTime = '') => ({
    ...made(spec),
    status: Job.fromPartial({ status: { startTime } }).status,
  });
  const change = (previous: Job, spec: JobSpec) => {
    const { selector, template } = previous.spec ?? {};
    // What a writer leaves out the api completes, as it did the first time.
    const full = spec.template === undefined ? template : { metadata: template?.metadata, ...spec.template };
    const next = made({ ...previous.spec, selector, ...spec, template: full });
    return paths([...(job.validateUpdate?.(next, previous) ?? []), ...validateImmutable(job.schema, next, previous)]);
  };
  const onSsd = { ...template, spec: { ...template.spec, nodeSelector: { disk: 'ssd' } } };
  const typed = {
    spec: {
      ...template.spec,
      containers: [{ name: 'work', image: 'x', resources: {}, securityContext: {} }],
      securityContext: {},
      affinity: {},
    },
  };
  const otherImage = { spec: { ...template.spec, containers: [{ name: 'work', image: 'y' }] } };

  test.each<{ name: string; was: JobSpec; becomes: JobSpec; startTime?: string; wrong: string[] }>([
    { name: 'parallelism', was: never(), becomes: { parallelism: 3 }, wrong: [] },
    {
      name: 'suspend, limits and deadlines',
      was: never(),
      becomes: { suspend: true, backoffLimit: 2, activeDeadlineSeconds: 9, ttlSecondsAfterFinished: 1 },
      wrong: [],
    },
    {
      name: 'not completions',
      was: never({ completions: 2 }),
      becomes: { completions: 3 },
      wrong: ['spec.completions'],
    },
    {
      name: 'completions and parallelism of indexes together',
      was: indexed({ parallelism: 5 }),
      becomes: { completions: 8, parallelism: 8 },
      wrong: [],
    },
    {
      name: 'not completions of indexes alone',
      was: indexed({ parallelism: 5 }),
      becomes: { completions: 8 },
      wrong: ['spec.completions'],
    },
    {
      name: 'not when they were not equal before',
      was: indexed({ parallelism: 2 }),
      becomes: { completions: 8, parallelism: 8 },
      wrong: ['spec.completions'],
    },
    { name: 'not the template', was: never(), becomes: { template: otherImage }, wrong: ['spec.template'] },
    { name: 'the template’s empty messages, which say nothing', was: never(), becomes: { template: typed }, wrong: [] },
    { name: 'not where Pods may run', was: never(), becomes: { template: onSsd }, wrong: ['spec.template'] },
    {
      name: 'where Pods may run, before it has begun',
      was: never({ suspend: true }),
      becomes: { template: onSsd },
      wrong: [],
    },
    {
      name: 'not what they are, even then',
      was: never({ suspend: true }),
      becomes: { template: otherImage },
      wrong: ['spec.template'],
    },
    {
      name: 'nothing of it once it has begun',
      was: never({ suspend: true }),
      startTime: '2026-01-01T00:00:00Z',
      becomes: { template: onSsd },
      wrong: ['spec.template'],
    },
    { name: 'not the mode', was: indexed(), becomes: { completionMode: 'NonIndexed' }, wrong: ['spec.completionMode'] },
    {
      name: 'not the selector',
      was: never(),
      becomes: { selector: { matchLabels: { a: 'b' } } },
      wrong: ['spec.selector'],
    },
  ])('$name', ({ was, becomes, startTime, wrong }) => {
    expect(change(before(was, startTime), becomes)).toEqual(wrong);
  });
});

describe('a CronJob', () => {
  const errors = (spec: CronJobSpec, name = 'nightly') => {
    const object = CronJob.fromPartial({ metadata: { name }, spec: { jobTemplate: { spec: never() }, ...spec } });
    applyDefaults(cronJob.schema, object);
    cronJob.complete?.(object);
    return paths(cronJob.validate?.(object) ?? []);
  };

  test.each<{ name: string; spec: CronJobSpec; wrong: string[] }>([
    { name: 'in a place', spec: { schedule: '30 2 * * *', timeZone: 'Europe/Berlin' }, wrong: [] },
    { name: 'by a name', spec: { schedule: '@daily' }, wrong: [] },
    { name: 'nowhere', spec: { schedule: '@daily', timeZone: 'Nowhere' }, wrong: ['spec.timeZone'] },
    { name: 'never', spec: { schedule: 'never' }, wrong: ['spec.schedule'] },
    { name: 'with the place in the schedule', spec: { schedule: 'TZ=UTC 30 2 * * *' }, wrong: ['spec.schedule'] },
    {
      name: 'of Jobs that have no end',
      spec: {
        schedule: '@daily',
        jobTemplate: { spec: { template: { spec: { containers: [{ name: 'a', image: 'x' }] } } } },
      },
      wrong: ['spec.jobTemplate.spec.template.spec.restartPolicy'],
    },
    {
      name: 'of Jobs that would share their Pods',
      spec: { schedule: '@daily', jobTemplate: { spec: never({ selector: { matchLabels: { a: 'b' } } }) } },
      wrong: ['spec.jobTemplate.spec.selector'],
    },
  ])('$name', ({ spec, wrong }) => {
    expect(errors(spec)).toEqual(wrong);
  });

  test('has a name that leaves room for its Jobs', () => {
    expect(errors({ schedule: '@daily' }, 'a'.repeat(53))).toEqual(['metadata.name']);
  });
});

describe('in a table', () => {
  const cells = (object: Job, now: number) =>
    Object.fromEntries(job.columns.slice(0, 3).map((column) => [column.title, column.value(object, now)]));
  const start = '2026-01-01T00:00:00Z';
  const now = Date.parse(start) + 90_000;
  test.each([
    { spec: { completions: 3 }, status: { startTime: start, succeeded: 1 }, is: ['Running', '1/3', '90s'] },
    { spec: { parallelism: 4 }, status: {}, is: ['Running', '0/1 of 4', ''] },
    {
      spec: { completions: 1 },
      status: {
        startTime: start,
        completionTime: '2026-01-01T00:00:05Z',
        succeeded: 1,
        conditions: [{ type: 'Complete', status: 'True' }],
      },
      is: ['Complete', '1/1', '5s'],
    },
    { spec: {}, status: { conditions: [{ type: 'Suspended', status: 'True' }] }, is: ['Suspended', '0/1', ''] },
  ])('is $is', ({ spec, status, is }) => {
    const [STATUS, COMPLETIONS, DURATION] = is;
    expect(cells(Job.fromPartial({ spec, status }), now)).toEqual({ STATUS, COMPLETIONS, DURATION });
  });
});
