import { cronJob as cronJobKind, job as jobKind, scheduledTimeAnnotation } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { CronJob, type Job } from '@navarch/proto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isFinished } from '../job/status.ts';
import { job } from '../job/jobs.fixture.ts';
import { condition, lines, live } from '../objects.fixture.ts';
import { ObjectsInMemory } from '../objects-in-memory.fixture.ts';
import { controllerReference } from '../ownership.ts';
import type { Plan } from '../plan.ts';
import { timestamp } from '../time.ts';
import { reconcileCronJob } from './reconcile.ts';

type Parts = Parameters<typeof CronJob.fromPartial>[0];
const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } };

function cronJob(
  spec: Parts['spec'] = {},
  status: Parts['status'] = {},
  metadata: Parts['metadata'] = {},
): Live<CronJob> {
  const object = CronJob.fromPartial({
    metadata: {
      name: 'hourly',
      namespace: 'default',
      uid: 'uid-cron',
      resourceVersion: '5',
      creationTimestamp: '2026-06-01T09:30:00Z',
      ...metadata,
    },
    spec: {
      schedule: '0 * * * *',
      jobTemplate: { spec: { template } },
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      concurrencyPolicy: 'Allow',
      ...spec,
    },
    status,
  });
  cronJobKind.complete?.(object);
  return live(object);
}

/** A Job of the CronJob for a time of that day: `10:00`. */
function run(
  at: string,
  how: 'active' | 'Complete' | 'Failed' = 'active',
  more: { by?: 'hand'; ends?: string } = {},
): Live<Job> {
  const scheduled = `2026-06-01T${at}:00Z`;
  const ended = `2026-06-01T${more.ends ?? at}:30Z`;
  const conditions = how === 'active' ? [] : [condition(how, 'True', { lastTransitionTime: ended })];
  return job(
    {},
    { startTime: scheduled, completionTime: how === 'Complete' ? ended : '', conditions },
    {
      name: `hourly-${Date.parse(scheduled) / 60_000}`,
      uid: `uid-${at}`,
      creationTimestamp: scheduled,
      annotations: more.by === 'hand' ? {} : { [scheduledTimeAnnotation]: scheduled },
      ownerReferences: [controllerReference(cronJobKind, cronJob())],
    },
  );
}

const look = (of: Live<CronJob>, at: string, jobs: readonly Live<Job>[] = [], others: readonly Live<Job>[] = []) => {
  const all = [...jobs, ...others];
  const jobNamed = (name: string) => all.find(({ metadata }) => metadata.name === name);
  return reconcileCronJob({ cronJob: of, jobs, jobNamed }, Date.parse(`2026-06-01T${at}Z`));
};
/** The status that says what these Jobs are. */
const knows = (jobs: readonly Live<Job>[], last = '') => {
  const plan = look(cronJob({}, { lastScheduleTime: last }), '09:30:00', jobs);
  const [write] = plan.writes;
  return write?.type === 'updateStatus'
    ? (write.object as CronJob).status
    : cronJob({}, { lastScheduleTime: last }).status;
};
const statusIn = ({ writes }: Plan) => {
  const write = writes.find(({ type }) => type === 'updateStatus');
  return write?.type === 'updateStatus' ? (write.object as CronJob).status : undefined; // a plan for a CronJob
};
const reasons = ({ events }: Plan) => events.map(({ reason }) => reason);
const nameAt = (at: string) => `hourly-${Date.parse(`2026-06-01T${at}:00Z`) / 60_000}`;

describe('when a Job is made', () => {
  test('not before its time, and then it is looked at again', () => {
    expect(look(cronJob(), '09:59:59')).toEqual({ writes: [], events: [], againAfterMs: 1_000 });
  });

  test('at its time, together with the note that it was', () => {
    const plan = look(cronJob(), '10:00:00');
    expect(plan.atomic).toBe(true);
    expect(lines(plan.writes)).toEqual(['updateStatus cronjob hourly', `create job ${nameAt('10:00')}`]);
    expect(statusIn(plan)?.lastScheduleTime).toBe('2026-06-01T10:00:00Z');
    expect(reasons(plan)).toEqual(['SuccessfulCreate']);
  });

  test('from the template, with the time in the time zone', () => {
    const metadata = { labels: { app: 'backup' }, annotations: { a: 'b' } };
    const of = cronJob({ timeZone: 'Europe/Berlin', jobTemplate: { metadata, spec: { backoffLimit: 2, template } } });
    const [, write] = look(of, '10:00:00').writes;
    expect(write).toMatchObject({
      kind: jobKind,
      object: {
        metadata: {
          labels: { app: 'backup' },
          annotations: { a: 'b', [scheduledTimeAnnotation]: '2026-06-01T12:00:00+02:00' },
          ownerReferences: [{ kind: 'CronJob', uid: 'uid-cron', controller: true }],
        },
        spec: { backoffLimit: 2 },
      },
    });
  });

  test.each<{
    name: string;
    spec?: Parts['spec'];
    last?: string;
    at: string;
    makes: string | undefined;
    told?: string[];
  }>([
    { name: 'once for each time', last: '2026-06-01T10:00:00Z', at: '10:30:00', makes: undefined },
    { name: 'late, when nobody was there at its time', at: '10:30:00', makes: '10:00', told: ['SuccessfulCreate'] },
    {
      name: 'of several times that were missed only for the last',
      at: '13:30:00',
      makes: '13:00',
      told: ['SuccessfulCreate'],
    },
    {
      name: 'people are told of more than a hundred',
      spec: { schedule: '* * * * *' },
      at: '11:30:00',
      makes: '11:30',
      told: ['SuccessfulCreate', 'TooManyMissedTimes'],
    },
    {
      name: 'not of a hundred',
      spec: { schedule: '* * * * *' },
      at: '11:10:00',
      makes: '11:10',
      told: ['SuccessfulCreate'],
    },
    {
      name: 'not later than it may be',
      spec: { startingDeadlineSeconds: 60 },
      at: '10:01:01',
      makes: undefined,
      told: ['MissSchedule'],
    },
    {
      name: 'but still as late as it may be',
      spec: { startingDeadlineSeconds: 60 },
      at: '10:00:59',
      makes: '10:00',
      told: ['SuccessfulCreate'],
    },
    { name: 'not while it is suspended', spec: { suspend: true }, at: '10:00:00', makes: undefined },
    {
      name: 'not when its schedule is none',
      spec: { schedule: 'never' },
      at: '10:00:00',
      makes: undefined,
      told: ['UnparseableCronJobSchedule'],
    },
    {
      name: 'a clock that was put back makes none twice',
      last: '2026-06-01T12:00:00Z',
      at: '11:00:00',
      makes: undefined,
    },
  ])('$name', ({ spec, last = '', at, makes, told = [] }) => {
    const plan = look(cronJob(spec, { lastScheduleTime: last }), at);
    expect(lines(plan.writes).filter((line) => line.startsWith('create'))).toEqual(
      makes === undefined ? [] : [`create job ${nameAt(makes)}`],
    );
    expect(reasons(plan)).toEqual(told);
  });

  test('after the clock was put back, it waits for the next time that was not there', () => {
    const plan = look(cronJob({}, { lastScheduleTime: '2026-06-01T12:00:00Z' }), '11:00:00');
    expect(plan.againAfterMs).toBe(2 * 3_600_000);
  });

  test('not while it is being deleted', () => {
    expect(look(cronJob({}, {}, { deletionTimestamp: '2026-06-01T09:40:00Z' }), '10:00:00').writes).toEqual([]);
  });

  test('a Job of that name that is somebody else’s is left alone, and the time noted', () => {
    const other = { ...run('10:00'), metadata: { ...run('10:00').metadata, ownerReferences: [] } };
    const plan = look(cronJob(), '10:00:00', [], [other]);
    expect(lines(plan.writes)).toEqual(['updateStatus cronjob hourly']);
    expect(reasons(plan)).toEqual(['FailedCreate']);
  });
});

describe('while the Job before still runs', () => {
  const before = run('10:00');
  const at = (concurrencyPolicy: string) =>
    look(cronJob({ concurrencyPolicy }, knows([before], '2026-06-01T10:00:00Z')), '11:00:00', [before]);

  test('Allow makes another beside it', () => {
    expect(lines(at('Allow').writes)).toEqual(['updateStatus cronjob hourly', `create job ${nameAt('11:00')}`]);
  });

  test('Forbid makes none, says so, and looks again at the next time', () => {
    const plan = at('Forbid');
    expect(plan.writes).toEqual([]);
    expect(reasons(plan)).toEqual(['JobAlreadyActive']);
    expect(plan.againAfterMs).toBe(3_600_000);
  });

  test('and makes up for it once the other is done', () => {
    const done = run('10:00', 'Complete', { ends: '11:20' });
    const plan = look(cronJob({ concurrencyPolicy: 'Forbid' }, knows([done], '2026-06-01T10:00:00Z')), '11:21:00', [
      done,
    ]);
    expect(lines(plan.writes)).toContain(`create job ${nameAt('11:00')}`);
  });

  test('Replace ends it in the transaction that makes the other', () => {
    const plan = at('Replace');
    expect(plan.atomic).toBe(true);
    expect(lines(plan.writes)).toEqual([
      'updateStatus cronjob hourly',
      `create job ${nameAt('11:00')}`,
      `delete job ${nameAt('10:00')}`,
    ]);
    expect(reasons(plan)).toEqual(['SuccessfulDelete', 'SuccessfulCreate']);
  });

  test('a Job that somebody made by hand stands in nobody’s way', () => {
    const byHand = run('10:00', 'active', { by: 'hand' });
    const plan = look(cronJob({ concurrencyPolicy: 'Forbid' }), '11:00:00', [byHand]);
    expect(lines(plan.writes)).toContain(`create job ${nameAt('11:00')}`);
  });
});

describe('what is seen', () => {
  test('Jobs that run are active', () => {
    expect(knows([run('10:00'), run('09:00', 'Complete')])?.active).toMatchObject([
      { kind: 'Job', apiVersion: 'batch/v1', namespace: 'default', name: nameAt('10:00'), uid: 'uid-10:00' },
    ]);
  });

  test('the last success is the latest', () => {
    const status = knows([run('08:00', 'Complete'), run('09:00', 'Complete'), run('10:00', 'Failed')]);
    expect(status?.lastSuccessfulTime).toBe('2026-06-01T09:00:30Z');
    const forgotten = look(cronJob({}, status), '09:40:00', [run('08:00', 'Complete')]);
    expect(forgotten.writes).toEqual([]);
  });

  test('the end of a Job is told once', () => {
    const status = knows([run('10:00'), run('09:00'), run('08:00')]);
    const plan = look(cronJob({}, status), '09:40:00', [run('10:00', 'Complete'), run('09:00', 'Failed')]);
    expect(plan.events.map(({ message }) => message).toSorted()).toEqual([
      `Active job went missing: ${nameAt('08:00')}`,
      `Saw completed job: ${nameAt('09:00')}, condition: Failed`,
      `Saw completed job: ${nameAt('10:00')}, condition: Complete`,
    ]);
    const after = look(cronJob({}, statusIn(plan)), '09:40:00', [run('10:00', 'Complete'), run('09:00', 'Failed')]);
    expect(after).toEqual({ writes: [], events: [], againAfterMs: 20 * 60_000 });
  });
});

describe('finished Jobs', () => {
  const complete = ['04:00', '05:00', '06:00', '07:00', '08:00'].map((at) => run(at, 'Complete'));
  const failed = ['04:30', '05:30'].map((at) => run(at, 'Failed'));
  test.each<{ name: string; spec: Parts['spec']; forgets: string[] }>([
    { name: 'are kept up to the limits, the latest', spec: {}, forgets: ['04:00', '04:30', '05:00'] },
    {
      name: 'all of them, when so wanted',
      spec: { successfulJobsHistoryLimit: 9, failedJobsHistoryLimit: 9 },
      forgets: [],
    },
    {
      name: 'or none',
      spec: { successfulJobsHistoryLimit: 9, failedJobsHistoryLimit: 0 },
      forgets: ['04:30', '05:30'],
    },
  ])('$name', ({ spec, forgets }) => {
    const jobs = [...complete, ...failed];
    const plan = look(cronJob(spec, knows(jobs)), '09:40:00', jobs);
    expect(lines(plan.writes).toSorted()).toEqual(forgets.map((at) => `delete job ${nameAt(at)}`).toSorted());
  });
});

describe('over days in which the clock is changed', () => {
  const runs = (spec: Parts['spec'], from: string, hours: number) => {
    const life = new Life(spec, Date.parse(from));
    life.run(Date.parse(from) + hours * 3_600_000);
    return life.scheduled;
  };
  test('a time that is left out is not made up for', () => {
    expect(runs({ schedule: '30 2 * * *', timeZone: 'Europe/Berlin' }, '2026-03-28T12:00:00Z', 60)).toEqual([
      '2026-03-30T02:30:00+02:00',
    ]);
  });
  test('one that comes twice gets two Jobs, told apart by the distance from UTC', () => {
    expect(runs({ schedule: '30 2 * * *', timeZone: 'Europe/Berlin' }, '2026-10-24T12:00:00Z', 24)).toEqual([
      '2026-10-25T02:30:00+02:00',
      '2026-10-25T02:30:00+01:00',
    ]);
  });
  test('without a time zone it goes by UTC', () => {
    expect(runs({ schedule: '30 2 * * *' }, '2026-03-28T12:00:00Z', 48)).toEqual([
      '2026-03-29T02:30:00Z',
      '2026-03-30T02:30:00Z',
    ]);
  });
});

/** A CronJob and its Jobs in memory, woken only when it asked to be or something changes. */
class Life {
  now: number;
  wakes = 0;
  readonly #objects: ObjectsInMemory;
  readonly #scheduled: string[] = [];

  constructor(spec: Parts['spec'], now: number) {
    this.now = now;
    this.#objects = new ObjectsInMemory(() => this.now);
    const { metadata, spec: whole } = cronJob(spec);
    const object = { metadata: { ...metadata, uid: '', resourceVersion: '' }, spec: whole, status: undefined };
    this.#objects.transact([{ type: 'create', kind: cronJobKind, object }]);
  }

  get cronJob(): Live<CronJob> {
    const found = this.#objects.get(cronJobKind, 'hourly');
    if (found === undefined) throw new Error('the CronJob is gone');
    return found;
  }

  get jobs(): readonly Live<Job>[] {
    return this.#objects.all(jobKind);
  }

  /** The times for which Jobs were made. */
  get scheduled(): readonly string[] {
    return this.#scheduled;
  }

  /** Until nothing more is to be done now. Returns when to look again. */
  settle(): number | undefined {
    for (let round = 0; round < 50; round++) {
      this.wakes++;
      const jobNamed = (name: string) => this.#objects.get(jobKind, name);
      const { writes, atomic, againAfterMs } = reconcileCronJob(
        { cronJob: this.cronJob, jobs: this.jobs, jobNamed },
        this.now,
      );
      if (writes.length === 0) return againAfterMs;
      for (const write of writes) {
        if (write.type === 'create')
          this.#scheduled.push(write.object.metadata?.annotations[scheduledTimeAnnotation] ?? '');
      }
      const { outcomes } = this.#objects.transact(writes, atomic);
      for (const outcome of outcomes) if (!outcome.ok) throw new Error(outcome.error.message);
    }
    throw new Error('it never comes to rest');
  }

  run(untilMs: number): void {
    for (;;) {
      const again = this.settle();
      if (again === undefined || this.now + again > untilMs) break;
      this.now += again;
    }
    this.now = untilMs;
  }

  end(pick: number, how: 'Complete' | 'Failed'): void {
    const active = this.jobs.filter((each) => !isFinished(each));
    const one = active[pick % Math.max(1, active.length)];
    if (one === undefined) return;
    const at = timestamp(this.now);
    const conditions = [condition(how, 'True', { lastTransitionTime: at })];
    const object = { ...one, status: { ...one.status, completionTime: how === 'Complete' ? at : '', conditions } };
    this.#objects.transact([{ type: 'updateStatus', kind: jobKind, object }]);
  }
}

test('is woken once for each time, not more often', () => {
  const life = new Life({ schedule: '0 * * * *', concurrencyPolicy: 'Allow' }, Date.parse('2026-06-01T00:30:00Z'));
  life.run(Date.parse('2026-06-02T00:30:00Z'));
  expect(life.scheduled).toHaveLength(24);
  // Each time: it wakes, makes the Job, says that it is active, and has nothing more to do.
  expect(life.wakes).toBeLessThanOrEqual(24 * 3 + 1);
});

test('whatever happens, a time gets at most one Job, no policy is broken, and no more is kept than may be', () => {
  const event = fc.oneof(
    fc.record({ type: fc.constant('time' as const), ms: fc.integer({ min: -600_000, max: 7_200_000 }) }),
    fc.record({
      type: fc.constant('end' as const),
      pick: fc.nat(5),
      how: fc.constantFrom('Complete' as const, 'Failed' as const),
    }),
  );
  const spec = fc.record({
    schedule: fc.constantFrom('*/20 * * * *', '0 * * * *', '@every 25m', '5 */2 * * *'),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York'),
    concurrencyPolicy: fc.constantFrom('Allow', 'Forbid', 'Replace'),
    successfulJobsHistoryLimit: fc.nat(3),
    failedJobsHistoryLimit: fc.nat(2),
  });
  const start = fc.constantFrom(
    '2026-03-28T20:00:00Z',
    '2026-10-24T20:00:00Z',
    '2026-10-31T22:00:00Z',
    '2026-06-01T00:00:00Z',
  );
  fc.assert(
    fc.property(spec, start, fc.array(event, { maxLength: 40 }), (spec, start, events) => {
      const life = new Life(spec, Date.parse(start));
      for (const each of events) {
        if (each.type === 'end') life.end(each.pick, each.how);
        // The past is no place to wait in: the clock is simply put back.
        else if (each.ms < 0) life.now += each.ms;
        else life.run(life.now + each.ms);
        life.settle();
        const active = life.jobs.filter((one) => !isFinished(one)).length;
        expect(active).toBeLessThanOrEqual(spec.concurrencyPolicy === 'Allow' ? Number.POSITIVE_INFINITY : 1);
        const { status } = life.cronJob;
        expect(status.active).toHaveLength(active);
        const of = (type: string) =>
          life.jobs.filter((one) => one.status.conditions.some((each) => each.type === type)).length;
        expect(of('Complete')).toBeLessThanOrEqual(spec.successfulJobsHistoryLimit);
        expect(of('Failed')).toBeLessThanOrEqual(spec.failedJobsHistoryLimit);
      }
      expect(new Set(life.scheduled).size).toBe(life.scheduled.length);
    }),
    { numRuns: 200 },
  );
});
