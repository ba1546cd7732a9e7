import type { ClientWrite } from '@navarch/client';
import { cronJob as cronJobKind, job as jobKind } from '@navarch/kinds';
import { type CronSchedule, type Live, parseSchedule } from '@navarch/machinery';
import { type CronJob, DeleteRequest_Propagation, type Job } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { isControlledBy } from '../ownership.ts';
import { nothingToDo, type Plan, type PlannedEvent } from '../plan.ts';
import { parseTimestamp, timestamp } from '../time.ts';
import { jobName, newJob, standardZone } from './new-job.ts';
import { activeJobs, endEvents, jobsToForget, seenStatus } from './status.ts';

export interface CronJobObserved {
  readonly cronJob: Live<CronJob>;
  /** The Jobs that it manages. */
  readonly jobs: readonly Live<Job>[];
  /** The Job of this name in its namespace, whosever it is. */
  readonly jobNamed: (name: string) => Live<Job> | undefined;
}

/** From so many missed times on people are told: a clock is wrong, or the cluster was down for long. */
const manyMissed = 100;

/**
 * The next step of a CronJob: say what its Jobs are, forget the oldest of those that are finished, make the Job for the last
 * time that has passed. Of several times that have passed only the last is made up for. The Job and the time for which it was
 * made are written all or nothing: a time gets one Job, whatever fails and whoever deletes it.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs
 */
export function reconcileCronJob(observed: CronJobObserved, now: number): Plan {
  const { cronJob, jobs } = observed;
  const { metadata, spec, status } = cronJob;
  const seen = seenStatus(cronJob, jobs);
  if (!equalValues(seen, status)) {
    return { writes: [statusWrite(cronJob, seen)], events: endEvents(cronJob, jobs, seen) };
  }
  const old = jobsToForget(cronJob, jobs).map(removal);
  if (old.length > 0) return { writes: old, events: old.map((write) => deleted(cronJob, write)) };
  if (metadata.deletionTimestamp !== '' || spec.suspend === true) return nothingToDo;

  const schedule = parseSchedule(spec.schedule, spec.timeZone ?? standardZone);
  // The api lets no other in; but what an earlier version took may be there.
  if (typeof schedule === 'string') return warning(cronJob, 'UnparseableCronJobSchedule', `schedule ${schedule}`);
  return keepSchedule(observed, schedule, now);
}

function keepSchedule(observed: CronJobObserved, schedule: CronSchedule, now: number): Plan {
  const { cronJob, jobs } = observed;
  const { spec, status, metadata } = cronJob;
  const lastMs = parseTimestamp(status.lastScheduleTime || metadata.creationTimestamp) ?? now;
  const deadlineMs = spec.startingDeadlineSeconds === undefined ? lastMs : now - spec.startingDeadlineSeconds * 1000;
  const dueMs = schedule.latest(Math.max(lastMs, deadlineMs), now);
  const missedMs = dueMs ?? schedule.latest(lastMs, now);
  const nextMs = schedule.next(missedMs ?? Math.max(lastMs, now));
  const again = nextMs === undefined ? {} : { againAfterMs: Math.max(1, nextMs - now) };
  if (dueMs === undefined) {
    if (missedMs === undefined) return { ...nothingToDo, ...again };
    const message = `Missed scheduled time to start a job: ${timestamp(missedMs)}`;
    return { ...warning(cronJob, 'MissSchedule', message), ...again };
  }
  const active = activeJobs(jobs);
  if (spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
    return { writes: [], events: [event(cronJob, 'Normal', 'JobAlreadyActive', message)], ...again };
  }
  const replaced = spec.concurrencyPolicy === 'Replace' ? active : [];
  const plan = start(
    observed,
    dueMs,
    replaced.filter((job) => job.metadata.deletionTimestamp === ''),
  );
  return isMany(schedule, lastMs, now) ? { ...plan, events: [...plan.events, tooMany(cronJob)] } : plan;
}

/** The Job for a time, the end of those that it replaces, and the note that the time has been seen to. */
function start({ cronJob, jobNamed }: CronJobObserved, dueMs: number, replaced: readonly Live<Job>[]): Plan {
  const noted = statusWrite(cronJob, { ...cronJob.status, lastScheduleTime: timestamp(dueMs) });
  const name = jobName(cronJob, dueMs);
  const present = jobNamed(name);
  if (present !== undefined) {
    const message = `Error creating job: ${name} is there already, and not of this CronJob`;
    const events = isControlledBy(present, cronJob) ? [] : [event(cronJob, 'Warning', 'FailedCreate', message)];
    return { writes: [noted], events };
  }
  const create: ClientWrite = { type: 'create', kind: jobKind, object: newJob(cronJob, dueMs) };
  const removals = replaced.map(removal);
  const created = { ...event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${name}`), after: create };
  return {
    writes: [noted, create, ...removals],
    events: [...removals.map((write) => deleted(cronJob, write)), created],
    atomic: true,
  };
}

function isMany(schedule: CronSchedule, afterMs: number, now: number): boolean {
  let at: number | undefined = afterMs;
  for (let missed = 0; missed <= manyMissed; missed++) {
    at = schedule.next(at);
    if (at === undefined || at > now) return false;
  }
  return true;
}

function statusWrite(cronJob: Live<CronJob>, status: CronJob['status']): ClientWrite {
  const object = { ...cronJob, status };
  return { type: 'updateStatus', kind: cronJobKind, object };
}

function removal({ metadata: { namespace, name, uid } }: Live<Job>): ClientWrite {
  const options = { uid, propagation: DeleteRequest_Propagation.BACKGROUND };
  return { type: 'delete', kind: jobKind, key: { namespace, name }, options };
}

function deleted(cronJob: Live<CronJob>, after: ClientWrite): PlannedEvent {
  const name = after.type === 'delete' ? after.key.name : '';
  return { ...event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`), after };
}

function tooMany(cronJob: Live<CronJob>): PlannedEvent {
  const message = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
  return event(cronJob, 'Warning', 'TooManyMissedTimes', message);
}

function warning(cronJob: Live<CronJob>, reason: string, message: string): Plan {
  return { writes: [], events: [event(cronJob, 'Warning', reason, message)] };
}

function event(object: Live<CronJob>, type: PlannedEvent['type'], reason: string, message: string): PlannedEvent {
  return { kind: cronJobKind, object, type, reason, message };
}
