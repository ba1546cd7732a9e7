import { completionIndexLabel, job as jobKind, jobTrackingFinalizer } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Job, JobStatus, Pod } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { agoMs, lines, now } from '../objects.fixture.ts';
import type { Plan } from '../plan.ts';
import { timestamp } from '../time.ts';
import { job, type JobSpecParts, type JobStatusParts, jobPod as pod, type PodParts } from './jobs.fixture.ts';
import { reconcileJob } from './reconcile.ts';

const look = (of: Live<Job>, pods: readonly Live<Pod>[] = [], countAtOnce?: number) => {
  const taken = new Set(pods.map(({ metadata }) => metadata.name));
  return reconcileJob({ job: of, pods, taken }, now, countAtOnce);
};
/** What is written of the status. */
function statusIn(plan: Plan): JobStatus | undefined {
  const write = plan.writes.find(({ type }) => type === 'updateStatus');
  return write?.type === 'updateStatus' ? (write.object as Job).status : undefined; // of a Job, as its plan says
}
const said = (status: JobStatus | undefined) =>
  (status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);
const made = (plan: Plan) => plan.writes.flatMap((write) => (write.type === 'create' ? [write.object as Pod] : [])); // a Job makes Pods
const indexes = (plan: Plan) => made(plan).map(({ metadata }) => metadata?.annotations[completionIndexLabel]);
const pods = (count: number, parts: PodParts = {}) => Array.from({ length: count }, (_, n) => pod(`p${n}`, parts));
const perIndex = (more: JobSpecParts = {}) =>
  job({ completionMode: 'Indexed', completions: 3, parallelism: 3, backoffLimitPerIndex: 1, ...more });
const create = (name = 'work-[a-z0-9]{5}') => expect.stringMatching(new RegExp(`^create pod ${name}$`)) as string;

describe('how many Pods', () => {
  test.each<{ name: string; spec: JobSpecParts; status?: JobStatusParts; pods: Live<Pod>[]; does: string[] }>([
    { name: 'one, unless told otherwise', spec: {}, pods: [], does: [create()] },
    {
      name: 'as many at once as it may',
      spec: { completions: 5, parallelism: 2 },
      pods: [],
      does: [create(), create()],
    },
    {
      name: 'no more than are missing',
      spec: { completions: 5, parallelism: 3 },
      status: { succeeded: 4 },
      pods: [],
      does: [create()],
    },
    {
      name: 'a queue of work has as many as may be',
      spec: { parallelism: 3 },
      pods: pods(1),
      does: [create(), create()],
    },
    {
      name: 'and no new ones once one has succeeded',
      spec: { parallelism: 3 },
      status: { succeeded: 1, active: 1, ready: 1, terminating: 0 },
      pods: pods(1),
      does: [],
    },
    {
      name: 'an ending Pod is replaced at once',
      spec: { completions: 2, parallelism: 1 },
      status: { backoff: undefined },
      pods: [pod('p0', { ending: true, tracked: false })],
      does: [create()],
    },
    {
      name: 'or when it has ended, if it is wanted so',
      spec: { completions: 2, podReplacementPolicy: 'Failed' },
      status: { terminating: 1, ready: 0 },
      pods: [pod('p0', { ending: true })],
      does: [],
    },
    {
      name: 'none while it is suspended',
      spec: { suspend: true },
      status: { startTime: '', conditions: [{ type: 'Suspended', status: 'True' }], ready: 0, terminating: 0 },
      pods: [],
      does: [],
    },
    { name: 'none of another manager', spec: { managedBy: 'example.com/mine' }, pods: [], does: [] },
    {
      name: 'its own manager may be named',
      spec: { managedBy: 'kubernetes.io/job-controller' },
      pods: [],
      does: [create()],
    },
    {
      name: 'the surplus leaves the count first',
      spec: { completions: 5, parallelism: 1 },
      pods: [pod('p0', { phase: 'Pending' }), pod('p1')],
      does: ['update pod p0'],
    },
    {
      name: 'and is ended then',
      spec: { completions: 5, parallelism: 1 },
      pods: [pod('p0', { tracked: false }), pod('p1')],
      does: ['delete pod p0'],
    },
    {
      name: 'all leave the count when it is suspended',
      spec: { suspend: true },
      status: { conditions: [{ type: 'Suspended', status: 'True' }] },
      pods: pods(1),
      does: ['update pod p0'],
    },
    {
      name: 'a Pod that nobody manages becomes its own',
      spec: {},
      pods: [pod('p0', { manager: 'nobody', tracked: false })],
      does: ['update pod p0'],
    },
    {
      name: 'but not one that is over and was counted',
      spec: {},
      pods: [pod('p0', { manager: 'nobody', tracked: false, phase: 'Failed' })],
      does: [create()],
    },
  ])('$name', ({ spec, status, pods, does }) => {
    expect(lines(look(job(spec, status), pods).writes)).toEqual(does);
  });

  test('at most 500 in one step', () => {
    expect(look(job({ parallelism: 1000 })).writes).toHaveLength(500);
  });

  test('a decision made twice from a stale cache names the same Pods', () => {
    const twice = [1, 2].map(() => lines(look(job({ parallelism: 3 })).writes));
    expect(twice[0]).toEqual(twice[1]);
  });
});

describe('a Pod is counted in the transaction that lets it go', () => {
  const failed = (more: PodParts = {}) => pod('p0', { phase: 'Failed', ...more });
  test.each<{ name: string; spec?: JobSpecParts; status?: JobStatusParts; pods: Live<Pod>[]; counts: object }>([
    {
      name: 'one that succeeded',
      spec: { completions: 2 },
      pods: pods(1, { phase: 'Succeeded' }),
      counts: { succeeded: 1, failed: 0 },
    },
    { name: 'one that failed', pods: [failed()], counts: { succeeded: 0, failed: 1 } },
    {
      name: 'on top of those before',
      spec: { completions: 9 },
      status: { succeeded: 3, failed: 2 },
      pods: [failed(), pod('p1', { phase: 'Succeeded' })],
      counts: { succeeded: 4, failed: 3 },
    },
    { name: 'one that somebody deletes has failed', pods: [pod('p0', { ending: true })], counts: { failed: 1 } },
    {
      name: 'unless it succeeded before',
      spec: { completions: 2 },
      pods: [pod('p0', { ending: true, phase: 'Succeeded' })],
      counts: { succeeded: 1, failed: 0 },
    },
    {
      name: 'or has failed when it has ended, if that is waited for',
      spec: { podReplacementPolicy: 'Failed' },
      pods: [failed({ ending: true })],
      counts: { failed: 1 },
    },
    {
      name: 'an index',
      spec: { completionMode: 'Indexed', completions: 9 },
      status: { completedIndexes: '0,2', succeeded: 2 },
      pods: [pod('p1', { index: 1, phase: 'Succeeded' })],
      counts: { succeeded: 3, completedIndexes: '0-2' },
    },
    {
      name: 'an index that succeeds twice counts once',
      spec: { completionMode: 'Indexed', completions: 9 },
      status: { completedIndexes: '1', succeeded: 1 },
      pods: [pod('p1', { index: 1, phase: 'Succeeded' })],
      counts: { succeeded: 1, completedIndexes: '1' },
    },
    {
      name: 'an index that there is not counts for nothing',
      spec: { completionMode: 'Indexed', completions: 2 },
      pods: [pod('p1', { index: 2, phase: 'Succeeded' }), failed({ index: 7 })],
      counts: { succeeded: 0, failed: 0, completedIndexes: '' },
    },
  ])('$name', ({ spec, status, pods, counts }) => {
    const plan = look(job(spec, status), pods);
    expect(plan.atomic).toBe(true);
    const [first, ...others] = lines(plan.writes);
    expect(first).toBe('updateStatus job work');
    expect(others.toSorted()).toEqual(pods.map(({ metadata }) => `update pod ${metadata.name}`).toSorted());
    for (const write of plan.writes.slice(1)) {
      expect(write.type === 'update' && write.object.metadata?.finalizers).toEqual([]);
      expect(write.type === 'update' && write.object.metadata?.resourceVersion).toBe('5');
    }
    expect(statusIn(plan)).toMatchObject(counts);
  });

  test('as many at once as fit, and the others next', () => {
    const plan = look(job({ completions: 500, parallelism: 300 }), pods(200, { phase: 'Succeeded' }), 99);
    expect(plan.writes).toHaveLength(100);
    expect(statusIn(plan)).toMatchObject({ succeeded: 99 });
  });

  test('and never again', () => {
    const counted = pod('p0', { phase: 'Failed', tracked: false });
    const later = job({}, { failed: 1, backoff: { failures: 1, lastFailureTime: agoMs(60_000) } });
    expect(lines(look(later, [counted]).writes)).toEqual([create()]);
  });

  test('all are let go, and none is counted, once the Job is being deleted or finished', () => {
    const going = job({}, {}, { deletionTimestamp: agoMs(1000) });
    const done = job({}, { conditions: [{ type: 'Complete', status: 'True' }] });
    for (const of of [going, done]) {
      expect(lines(look(of, [pod('p0'), pod('p1', { phase: 'Failed' })]).writes).toSorted()).toEqual([
        'update pod p0',
        'update pod p1',
      ]);
    }
  });
});

describe('the next Pod is held back', () => {
  test.each([
    { failures: 0, agoMs: 0, waits: undefined },
    { failures: 1, agoMs: 0, waits: 10_000 },
    { failures: 1, agoMs: 4_000, waits: 6_000 },
    { failures: 1, agoMs: 10_000, waits: undefined },
    { failures: 2, agoMs: 0, waits: 20_000 },
    { failures: 3, agoMs: 0, waits: 40_000 },
    { failures: 7, agoMs: 0, waits: 600_000 },
    { failures: 100, agoMs: 0, waits: 600_000 },
    // The clock was put back.
    { failures: 1, agoMs: -3_600_000, waits: 10_000 },
  ])('after $failures failures, the last $agoMs ms ago: $waits ms more', ({ failures, agoMs: ago, waits }) => {
    const backoff = failures === 0 ? undefined : { failures, lastFailureTime: agoMs(ago) };
    const plan = look(job({ backoffLimit: 1000 }, { backoff, ready: 0, terminating: 0 }));
    expect(plan.againAfterMs).toBe(waits);
    expect(made(plan)).toHaveLength(waits === undefined ? 1 : 0);
  });

  test.each<{ name: string; before?: number; pods: Live<Pod>[]; failures: number | undefined; last?: number }>([
    { name: 'a failure counts', pods: pods(1, { phase: 'Failed', endedAgoMs: 5_000 }), failures: 1, last: 5_000 },
    { name: 'each does', before: 2, pods: pods(2, { phase: 'Failed', endedAgoMs: 5_000 }), failures: 4, last: 5_000 },
    { name: 'a success ends it', before: 2, pods: pods(1, { phase: 'Succeeded' }), failures: undefined },
    {
      name: 'only what fails after the last success counts',
      before: 2,
      pods: [
        pod('a', { phase: 'Failed', endedAgoMs: 9_000 }),
        pod('b', { phase: 'Succeeded', endedAgoMs: 8_000 }),
        pod('c', { phase: 'Failed', endedAgoMs: 7_000 }),
      ],
      failures: 1,
      last: 7_000,
    },
    {
      name: 'a node whose clock is ahead does not hold it longer',
      pods: pods(1, { phase: 'Failed', endedAgoMs: -50_000 }),
      failures: 1,
      last: 0,
    },
  ])('$name', ({ before, pods, failures, last }) => {
    const backoff = before === undefined ? undefined : { failures: before, lastFailureTime: agoMs(60_000) };
    const status = statusIn(look(job({ completions: 9, backoffLimit: 99 }, { backoff }), pods));
    expect(status?.backoff?.failures).toBe(failures);
    expect(status?.backoff?.lastFailureTime).toBe(last === undefined ? undefined : agoMs(last));
  });
});

describe('how it ends', () => {
  const over = (type: 'Complete' | 'Failed', reason: string) => [
    `${type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget'}=True ${reason}`,
    `${type}=True ${reason}`,
  ];
  const succeeded = (index?: number) => pod(`s${index}`, { phase: 'Succeeded', ...(index !== undefined && { index }) });
  test.each<{ name: string; of: Live<Job>; pods?: Live<Pod>[]; ends: string[] }>([
    {
      name: 'complete, when enough have succeeded',
      of: job({}),
      pods: [succeeded()],
      ends: over('Complete', 'CompletionsReached'),
    },
    {
      name: 'at once, when nothing is to be done',
      of: job({ completions: 0 }),
      ends: over('Complete', 'CompletionsReached'),
    },
    {
      name: 'a queue of work, when one succeeded and all have ended',
      of: job({ parallelism: 3 }, { succeeded: 1 }),
      ends: over('Complete', 'CompletionsReached'),
    },
    { name: 'not while one is still at work', of: job({ parallelism: 3 }, { succeeded: 1 }), pods: pods(1), ends: [] },
    {
      name: 'failed, when too many have',
      of: job({ backoffLimit: 1 }, { failed: 1 }),
      pods: pods(1, { phase: 'Failed' }),
      ends: over('Failed', 'BackoffLimitExceeded'),
    },
    {
      name: 'not when just as many have as may',
      of: job({ backoffLimit: 1 }),
      pods: pods(1, { phase: 'Failed' }),
      ends: [],
    },
    {
      name: 'failed, when its time is over',
      of: job({ activeDeadlineSeconds: 60 }),
      ends: over('Failed', 'DeadlineExceeded'),
    },
    { name: 'not a second before', of: job({ activeDeadlineSeconds: 61 }), ends: [] },
    {
      name: 'nor while it is suspended',
      of: job({ activeDeadlineSeconds: 9, suspend: true }),
      ends: ['Suspended=True JobSuspended'],
    },
    {
      name: 'failed, when an index has and no other is left',
      of: perIndex({ completions: 1 }),
      pods: [pod('a', { phase: 'Failed', index: 0, failures: 1 })],
      ends: over('Failed', 'FailedIndexes'),
    },
    {
      name: 'failed, when more indexes have than may',
      of: perIndex({ maxFailedIndexes: 0 }),
      pods: [pod('a', { phase: 'Failed', index: 0, failures: 1 })],
      ends: over('Failed', 'MaxFailedIndexesExceeded'),
    },
    {
      name: 'complete, when the indexes that matter are',
      of: job(
        { completionMode: 'Indexed', completions: 5, successPolicy: { rules: [{ succeededIndexes: '1,3' }] } },
        { completedIndexes: '1', succeeded: 1 },
      ),
      pods: [succeeded(3)],
      ends: over('Complete', 'SuccessPolicy'),
    },
    {
      name: 'or as many of them as matter',
      of: job(
        {
          completionMode: 'Indexed',
          completions: 5,
          successPolicy: { rules: [{ succeededIndexes: '1-4', succeededCount: 2 }] },
        },
        { completedIndexes: '1', succeeded: 1 },
      ),
      pods: [succeeded(3)],
      ends: over('Complete', 'SuccessPolicy'),
    },
    {
      name: 'not by others',
      of: job(
        { completionMode: 'Indexed', completions: 5, successPolicy: { rules: [{ succeededIndexes: '1,3' }] } },
        { completedIndexes: '1', succeeded: 1 },
      ),
      pods: [succeeded(2)],
      ends: [],
    },
  ])('$name', ({ of, pods = [], ends }) => {
    expect(said(statusIn(look(of, pods)))).toEqual(ends);
  });

  test('says when it was complete', () => {
    expect(statusIn(look(job({}), [succeeded()]))).toMatchObject({
      completionTime: timestamp(now),
      succeeded: 1,
      active: 0,
    });
  });

  test('containers that are started again in their Pod count against the limit', () => {
    const template = {
      metadata: { labels: { app: 'work' } },
      spec: { restartPolicy: 'OnFailure', containers: [{ name: 'c', image: 'x' }] },
    };
    const ended = (backoffLimit: number, restarts: number) =>
      said(statusIn(look(job({ backoffLimit, template }), pods(1, { restarts }))));
    expect(ended(3, 2)).toEqual([]);
    expect(ended(3, 3)).toEqual(['FailureTarget=True BackoffLimitExceeded']);
    expect(ended(0, 1)).toEqual(['FailureTarget=True BackoffLimitExceeded']);
  });

  test('first the failure is written and all Pods counted, then those that run are ended, then it is over', () => {
    const steps: string[][] = [];
    let of = job({ parallelism: 3, backoffLimit: 0 });
    let world = [pod('a', { phase: 'Failed' }), pod('b'), pod('c')];
    for (let step = 0; step < 4; step++) {
      const plan = look(of, world);
      steps.push([...lines(plan.writes), ...said(statusIn(plan)).map((text) => text.split(' ')[0] ?? '')]);
      of = { ...of, status: statusIn(plan) ?? of.status };
      const gone = new Set(plan.writes.map((write) => (write.type === 'delete' ? write.key.name : '')));
      world = world
        .filter(({ metadata }) => !gone.has(metadata.name))
        .map((each) => ({
          ...each,
          metadata: { ...each.metadata, finalizers: of.status.failed > 0 ? [] : each.metadata.finalizers },
        }));
    }
    expect(steps[0]?.toSorted()).toEqual([
      'FailureTarget=True',
      'update pod a',
      'update pod b',
      'update pod c',
      'updateStatus job work',
    ]);
    expect(steps[1]?.toSorted()).toEqual(['delete pod b', 'delete pod c']);
    expect(steps[2]).toEqual(['updateStatus job work', 'FailureTarget=True', 'Failed=True']);
    expect(steps[3]).toEqual([]);
    expect(of.status).toMatchObject({ failed: 3, active: 0 });
  });

  test('Pods that are ended because the rest does not matter have not failed', () => {
    const successPolicy = { rules: [{ succeededCount: 1 }] };
    const of = job({ completionMode: 'Indexed', completions: 3, parallelism: 3, successPolicy });
    const plan = look(of, [succeeded(0), pod('b', { index: 1 }), pod('c', { index: 2 })]);
    expect(statusIn(plan)).toMatchObject({ succeeded: 1, failed: 0, completedIndexes: '0' });
    expect(said(statusIn(plan))).toEqual(['SuccessCriteriaMet=True SuccessPolicy']);
    expect(plan.writes).toHaveLength(4);
  });

  test('waits for Pods that are ending', () => {
    const of = job(
      { backoffLimit: 0 },
      { failed: 1, conditions: [{ type: 'FailureTarget', status: 'True', reason: 'X' }] },
    );
    const plan = look(of, [pod('a', { ending: true, tracked: false })]);
    expect(said(statusIn(plan))).toEqual(['FailureTarget=True X']);
    expect(statusIn(plan)?.terminating).toBe(1);
  });
});

describe('the failure policy', () => {
  const policy = (...rules: NonNullable<NonNullable<JobSpecParts['podFailurePolicy']>['rules']>): JobSpecParts => ({
    podFailurePolicy: { rules },
    podReplacementPolicy: 'Failed',
    completions: 9,
    backoffLimit: 5,
  });
  const onCode = (action: string, operator: string, values: number[], containerName?: string) => ({
    action,
    onExitCodes: { operator, values, ...(containerName !== undefined && { containerName }) },
  });
  const onDisruption = (action: string) => ({ action, onPodConditions: [{ type: 'DisruptionTarget' }] });
  const failed = (parts: PodParts) => [pod('p0', { phase: 'Failed', ...parts })];

  test.each<{ name: string; spec: JobSpecParts; pods: Live<Pod>[]; failed: number; says?: string[] }>([
    {
      name: 'a code that can’t be mended fails the Job',
      spec: policy(onCode('FailJob', 'In', [42])),
      pods: failed({ exitCode: 42 }),
      failed: 1,
      says: ['FailureTarget=True PodFailurePolicy', 'Failed=True PodFailurePolicy'],
    },
    {
      name: 'another code does not',
      spec: policy(onCode('FailJob', 'In', [42])),
      pods: failed({ exitCode: 1 }),
      failed: 1,
    },
    {
      name: 'every code but these',
      spec: policy(onCode('FailJob', 'NotIn', [1, 2])),
      pods: failed({ exitCode: 3 }),
      failed: 1,
      says: ['FailureTarget=True PodFailurePolicy', 'Failed=True PodFailurePolicy'],
    },
    {
      name: 'a container that is not meant',
      spec: policy(onCode('FailJob', 'In', [42], 'other')),
      pods: failed({ exitCode: 42 }),
      failed: 1,
    },
    {
      name: 'a Pod whose node was emptied is not counted',
      spec: policy(onDisruption('Ignore')),
      pods: failed({ conditions: ['DisruptionTarget'] }),
      failed: 0,
    },
    {
      name: 'the first rule that matches decides',
      spec: policy(onDisruption('Count'), onCode('FailJob', 'In', [42])),
      pods: failed({ exitCode: 42, conditions: ['DisruptionTarget'] }),
      failed: 1,
    },
    {
      name: 'a Pod that is ending is not judged before it has ended',
      spec: policy(onDisruption('Ignore')),
      pods: [pod('p0', { ending: true, conditions: ['DisruptionTarget'] })],
      failed: 0,
    },
  ])('$name', ({ spec, pods, failed, says = [] }) => {
    const status = statusIn(look(job(spec), pods));
    expect(status?.failed).toBe(failed);
    expect(said(status)).toEqual(says);
  });

  test('says which Pod, which code and which rule', () => {
    const status = statusIn(look(job(policy(onCode('FailJob', 'In', [42]))), failed({ exitCode: 42 })));
    expect(status?.conditions[0]?.message).toBe(
      'Container c for pod default/p0 failed with exit code 42 matching FailJob rule at index 0',
    );
  });
});

describe('indexes', () => {
  const indexed = (more: JobSpecParts = {}, status: JobStatusParts = {}) =>
    job({ completionMode: 'Indexed', completions: 4, parallelism: 2, ...more }, status);

  test('are taken in order, and each knows its number', () => {
    const plan = look(indexed());
    expect(lines(plan.writes)).toEqual([create('work-0-[a-z0-9]{5}'), create('work-1-[a-z0-9]{5}')]);
    const [first] = made(plan);
    expect(first?.metadata?.labels).toMatchObject({ [completionIndexLabel]: '0', app: 'work' });
    expect(first?.metadata?.finalizers).toEqual([jobTrackingFinalizer]);
    expect(first?.spec?.hostname).toBe('work-0');
    expect(first?.spec?.containers[0]?.env).toMatchObject([
      {
        name: 'JOB_COMPLETION_INDEX',
        valueFrom: { fieldRef: { fieldPath: `metadata.labels['${completionIndexLabel}']` } },
      },
    ]);
  });

  test.each<{ name: string; of: Live<Job>; pods: Live<Pod>[]; starts: string[] }>([
    {
      name: 'not those that are under way or done',
      of: indexed({}, { completedIndexes: '0', succeeded: 1 }),
      pods: [pod('a', { index: 1 })],
      starts: ['2'],
    },
    {
      name: 'one that failed again',
      of: indexed({}, { backoff: undefined }),
      pods: [pod('a', { index: 0, phase: 'Failed', tracked: false }), pod('b', { index: 1 })],
      starts: ['0'],
    },
    {
      name: 'not one whose Pod is ending, if that is waited for',
      of: indexed({ podReplacementPolicy: 'Failed', parallelism: 3 }),
      pods: [pod('a', { index: 0, ending: true })],
      starts: ['1', '2'],
    },
    {
      name: 'more of them, when completions and parallelism grow',
      of: indexed({ completions: 6, parallelism: 6 }, { completedIndexes: '0-3', succeeded: 4 }),
      pods: [],
      starts: ['4', '5'],
    },
  ])('$name', ({ of, pods, starts }) => {
    expect(indexes(look(of, pods))).toEqual(starts);
  });

  test.each<{ name: string; of: Live<Job>; pods: Live<Pod>[]; does: string[] }>([
    {
      name: 'of two Pods of one index the lesser goes',
      of: indexed({}),
      pods: [pod('a', { index: 0 }), pod('b', { index: 0, phase: 'Pending' })],
      does: ['update pod b'],
    },
    {
      name: 'and those beyond completions, when these became fewer',
      of: indexed({ completions: 1, parallelism: 1 }),
      pods: [pod('a', { index: 0 }), pod('b', { index: 1 })],
      does: ['update pod b'],
    },
  ])('$name', ({ of, pods, does }) => {
    expect(lines(look(of, pods).writes)).toEqual(does);
  });
});

describe('with a limit for each index', () => {
  const failed = (index: number, more: PodParts = {}) =>
    pod(`f${index}`, { index, phase: 'Failed', failures: 0, ...more });

  test('a failed Pod is kept, uncounted, until another carries its number of failures on', () => {
    const first = look(perIndex({ parallelism: 1 }), [failed(0)]);
    expect(lines(first.writes)).toEqual([create('work-0-[a-z0-9]{5}')]);
    expect(made(first)[0]?.metadata?.annotations['batch.kubernetes.io/job-index-failure-count']).toBe('1');
    const then = look(perIndex({ parallelism: 1 }), [failed(0), pod('next', { index: 0, failures: 1 })]);
    expect(lines(then.writes)).toEqual(['updateStatus job work', 'update pod f0']);
    expect(statusIn(then)).toMatchObject({ failed: 1, failedIndexes: '' });
  });

  test('the index fails with one failure more than the limit', () => {
    const status = statusIn(
      look(perIndex(), [failed(0, { failures: 1 }), pod('b', { index: 1 }), pod('c', { index: 2 })]),
    );
    expect(status).toMatchObject({ failed: 1, failedIndexes: '0', completedIndexes: '' });
    expect(said(status)).toEqual([]);
  });

  test('the others go on while one is held back', () => {
    const plan = look(perIndex({ parallelism: 1, backoffLimitPerIndex: 5 }), [
      failed(0, { failures: 1, endedAgoMs: 5_000 }),
    ]);
    expect(indexes(plan)).toEqual(['1']);
    const alone = look(perIndex({ completions: 1, backoffLimitPerIndex: 5 }), [
      failed(0, { failures: 1, endedAgoMs: 5_000 }),
    ]);
    expect(indexes(alone)).toEqual([]);
    expect(statusIn(alone)).toMatchObject({ active: 0 });
    expect(alone.againAfterMs).toBe(15_000);
  });

  test('FailIndex ends an index at once, Ignore counts for nothing', () => {
    const rule = (action: string, value: number) => ({ action, onExitCodes: { operator: 'In', values: [value] } });
    const of = perIndex({
      podReplacementPolicy: 'Failed',
      podFailurePolicy: { rules: [rule('FailIndex', 42), rule('Ignore', 7)] },
    });
    const others = [pod('b', { index: 1 }), pod('c', { index: 2 })];
    expect(statusIn(look(of, [failed(0, { exitCode: 42 }), ...others]))).toMatchObject({
      failed: 1,
      failedIndexes: '0',
    });
    const ignored = look(of, [failed(0, { exitCode: 7, failures: 1, ignored: 2, endedAgoMs: 999_000 }), ...others]);
    expect(made(ignored)[0]?.metadata?.annotations).toMatchObject({
      'batch.kubernetes.io/job-index-failure-count': '1',
      'batch.kubernetes.io/job-index-ignored-failure-count': '3',
    });
  });
});

describe('suspended', () => {
  test('it says so, and its Pods are ended without counting', () => {
    const plan = look(job({ suspend: true }), pods(1));
    expect(lines(plan.writes)).toEqual(['updateStatus job work']);
    expect(said(statusIn(plan))).toEqual(['Suspended=True JobSuspended']);
    expect(plan.events).toMatchObject([{ reason: 'Suspended' }]);
  });

  test('a Job that begins suspended has no start', () => {
    expect(statusIn(look(job({ suspend: true }, { startTime: '' })))?.startTime).toBe('');
  });

  test('when it goes on, its time begins anew, before its deadline is looked at', () => {
    const of = job({ activeDeadlineSeconds: 10 }, { conditions: [{ type: 'Suspended', status: 'True' }] });
    const plan = look(of);
    expect(said(statusIn(plan))).toEqual(['Suspended=False JobResumed']);
    expect(statusIn(plan)?.startTime).toBe(timestamp(now));
    expect(plan.events).toMatchObject([{ reason: 'Resumed' }]);
  });
});

describe('what is seen', () => {
  test('is written once, and then no more', () => {
    const of = job({ completions: 5, parallelism: 3 }, { startTime: '' });
    const world = [pod('a'), pod('b', { ready: false }), pod('c', { phase: 'Pending' })];
    const first = look(of, world);
    expect(statusIn(first)).toMatchObject({ active: 3, ready: 1, terminating: 0, startTime: timestamp(now) });
    expect(look({ ...of, status: statusIn(first) ?? of.status }, world)).toEqual({ writes: [], events: [] });
  });

  test('it is looked at again when the deadline comes', () => {
    expect(look(job({ activeDeadlineSeconds: 90 }), pods(1)).againAfterMs).toBe(30_000);
  });

  test('the reference of a Pod names the Job', () => {
    const [first] = made(look(job()));
    expect(first?.metadata?.ownerReferences).toMatchObject([
      { kind: jobKind.kind, name: 'work', uid: 'uid-work', controller: true },
    ]);
  });
});
