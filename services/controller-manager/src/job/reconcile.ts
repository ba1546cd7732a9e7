import type { ClientWrite } from '@navarch/client';
import { job as jobKind, jobControllerName, jobTrackingFinalizer, pod as podKind } from '@navarch/kinds';
import { labelSelectorPredicate, type Live } from '@navarch/machinery';
import type { Job, JobStatus, Pod } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { claim, claimWrites } from '../ownership.ts';
import { nothingToDo, type Plan, type PlannedEvent, sooner } from '../plan.ts';
import { isOver } from '../pod-state.ts';
import { countedStatus, numbersOf, toCount } from './count.ts';
import { type Indexes, indexesOf } from './indexes.ts';
import { deadlineInMs, type Outcome, outcomeOf } from './outcome.ts';
import { isTracked, type JobPods, letGo, sortOut } from './pods.ts';
import { removeUntracked, scale } from './scale.ts';
import {
  isFinished,
  isSuspensionNews,
  outcomeEvent,
  seenStatus,
  suspensionEvent,
  withOutcome,
  withSuspension,
} from './status.ts';

export interface JobObserved {
  readonly job: Live<Job>;
  /** The Pods that it manages, and those of its namespace that nobody does. */
  readonly pods: readonly Live<Pod>[];
  /** Whether a Pod of this name is in its namespace. */
  readonly taken: { has(name: string): boolean };
}

/** As many Pods as one atomic transaction can hold beside the Job's status. */
export const mostCounted = 99;

/**
 * The next step of a Job, one at a time: whose Pods are whose; counting those that are over; saying that the Job is suspended
 * or goes on; making and removing Pods; saying what is seen. Pods are counted in the transaction that takes away the finalizer
 * that kept them, so each counts once, whatever fails in between. `countAtOnce` is how many at most.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job
 */
export function reconcileJob(observed: JobObserved, now: number, countAtOnce = mostCounted): Plan {
  const { job } = observed;
  if ((job.spec.managedBy ?? jobControllerName) !== jobControllerName) return nothingToDo;
  const { owned, claims } = claimed(observed);
  if (claims.length > 0) return { writes: claims, events: [] };
  const pods = sortOut(job, owned);
  // Nothing is counted any more.
  if (job.metadata.deletionTimestamp !== '' || isFinished(job))
    return { writes: pods.tracked.map(release), events: [] };

  const indexes = indexesOf(job, pods);
  const outcome = outcomeOf(job, pods, indexes, numbersOf(job, pods, indexes), now);
  const counted = toCount(pods, indexes, outcome).slice(0, countAtOnce);
  if (outcome !== undefined) return finish(job, pods, outcome, counted, now);
  if (counted.length > 0) {
    return writeStatus(job, { ...seenStatus(job, pods, now), ...countedStatus(job, counted, undefined, now) }, counted);
  }
  if (isSuspensionNews(job)) {
    const plan = writeStatus(job, withSuspension(job, seenStatus(job, pods, now), now));
    return { ...plan, events: [suspensionEvent(job)] };
  }
  return run(observed, pods, indexes, now);
}

/** Whose Pods are whose. What is over and not counted any more is nobody's business: adopted, it would be counted again. */
function claimed({ job, pods }: JobObserved): { owned: readonly Live<Pod>[]; claims: readonly ClientWrite[] } {
  const { owned, adopt, release } = claim(job, pods, labelSelectorPredicate(job.spec.selector));
  const adoptable = isFinished(job) ? [] : adopt.filter((pod) => isTracked(pod) || !isOver(pod.status.phase));
  const by = { kind: jobKind, owner: job };
  const claims = claimWrites(podKind, by, { adopt: adoptable.map(tracked), release: release.map(letGo) });
  return { owned, claims };
}

function tracked(pod: Live<Pod>): Live<Pod> {
  if (isTracked(pod)) return pod;
  const finalizers = [...pod.metadata.finalizers, jobTrackingFinalizer];
  return { ...pod, metadata: { ...pod.metadata, finalizers } };
}

function release(pod: Live<Pod>): ClientWrite {
  return { type: 'update', kind: podKind, object: letGo(pod) };
}

/** First the outcome is written down and all Pods are counted, then those are ended that still run, then it is over. */
function finish(job: Live<Job>, pods: JobPods, outcome: Outcome, counted: readonly Live<Pod>[], now: number): Plan {
  const seen = { ...seenStatus(job, pods, now), ...countedStatus(job, counted, outcome, now) };
  const over = counted.length === pods.tracked.length && pods.active.length + pods.terminating.length === 0;
  const status = withOutcome(seen, outcome, over, now);
  if (counted.length === 0 && !over) {
    const going = removeUntracked(job, pods);
    if (going.writes.length > 0) return going;
  }
  const events = over ? [outcomeEvent(job, outcome)] : [];
  return writeStatus(job, status, counted, events);
}

function run({ job, taken }: JobObserved, pods: JobPods, indexes: Indexes, now: number): Plan {
  const step = scale(job, pods, indexes, taken, now);
  if (step.writes.length > 0) return step;
  // What completions that became fewer leave behind is no more in the numbers.
  const seen = writeStatus(job, { ...seenStatus(job, pods, now), ...countedStatus(job, [], undefined, now) });
  const againAfterMs = sooner(step.againAfterMs, deadlineInMs(job, now));
  return { ...seen, ...(againAfterMs !== undefined && { againAfterMs }) };
}

/** The status, together with the Pods that are counted in it: all or nothing. No write when nothing changes. */
function writeStatus(
  job: Live<Job>,
  status: JobStatus,
  counted: readonly Live<Pod>[] = [],
  events: readonly PlannedEvent[] = [],
): Plan {
  if (counted.length === 0 && equalValues(status, job.status)) return nothingToDo;
  const object = { ...job, status };
  const write: ClientWrite = { type: 'updateStatus', kind: jobKind, object };
  return { writes: [write, ...counted.map(release)], events, atomic: true };
}
