import type { ClientWrite } from '@navarch/client';
import { job as jobKind, pod as podKind, removalOrder } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Job, Pod } from '@navarch/proto';
import { nothingToDo, type Plan, type PlannedEvent } from '../plan.ts';
import { backoffLeftMs } from './back-off.ts';
import { numbersOf } from './count.ts';
import { hasLimitPerIndex, type Indexes, indexesToStart } from './indexes.ts';
import { newIndexPod, newPods } from './new-pod.ts';
import { indexOf, isIndexed, isTracked, type JobPods, letGo, replacesOnlyFailed } from './pods.ts';

/** At most so many Pods are made or removed in one step; the next step follows at once. */
const mostPerStep = 500;

interface Names {
  has(name: string): boolean;
}

/** The next step towards as many Pods as the Job needs. */
export function scale(job: Live<Job>, pods: JobPods, indexes: Indexes, taken: Names, now: number): Plan {
  const going = removeUntracked(job, pods);
  if (going.writes.length > 0) return going;
  const wanted = wantedPods(job, pods, indexes);
  const surplus = surplusPods(job, pods, wanted);
  if (surplus.length > 0) {
    // Out of the count first, and only then ended: a Pod that nobody wants any more has not failed.
    const writes = surplus
      .slice(0, mostPerStep)
      .map((pod): ClientWrite => ({ type: 'update', kind: podKind, object: letGo(pod) }));
    return { writes, events: [] };
  }
  const ending = replacesOnlyFailed(job) ? pods.terminating.length : 0;
  const missing = Math.min(wanted - ending - pods.active.length, mostPerStep);
  return missing > 0 ? makePods(job, pods, indexes, { missing, taken, now }) : nothingToDo;
}

/** Active Pods that are out of the count, by us or by somebody else, have nothing to do here. */
export function removeUntracked(job: Live<Job>, { active }: JobPods): Plan {
  const writes = active
    .filter((pod) => !isTracked(pod))
    .slice(0, mostPerStep)
    .map(({ metadata: { namespace, name, uid } }): ClientWrite => {
      return { type: 'delete', kind: podKind, key: { namespace, name }, options: { uid } };
    });
  return { writes, events: writes.map((write) => told(job, write, 'SuccessfulDelete', 'Deleted pod')) };
}

function wantedPods(job: Live<Job>, pods: JobPods, indexes: Indexes): number {
  const { spec } = job;
  const { succeeded } = numbersOf(job, pods, indexes);
  if (spec.suspend === true) return 0;
  const parallelism = spec.parallelism ?? 1;
  if (spec.completions !== undefined) return Math.max(0, Math.min(parallelism, spec.completions - succeeded));
  // The first success says that the queue of work is empty: whoever is still at work finishes that.
  return succeeded > 0 ? Math.min(pods.active.length, parallelism) : parallelism;
}

/** First those of no index of the Job's and those of an index that another has, then those that do the least. */
function surplusPods(job: Live<Job>, { active }: JobPods, wanted: number): readonly Live<Pod>[] {
  const leastFirst = removalOrder(active);
  const useless = isIndexed(job) ? leastFirst.filter((pod, at) => isUseless(job, pod, leastFirst.slice(at + 1))) : [];
  const others = leastFirst.filter((pod) => !useless.includes(pod));
  return [...useless, ...others.slice(0, Math.max(0, others.length - wanted))];
}

function isUseless(job: Live<Job>, pod: Live<Pod>, better: readonly Live<Pod>[]): boolean {
  const index = indexOf(job, pod);
  return index === undefined || better.some((other) => indexOf(job, other) === index);
}

function makePods(
  job: Live<Job>,
  pods: JobPods,
  indexes: Indexes,
  { missing, taken, now }: { missing: number; taken: Names; now: number },
): Plan {
  const waitMs = hasLimitPerIndex(job) ? 0 : backoffLeftMs(job.status.backoff, now);
  if (waitMs > 0) return { ...nothingToDo, againAfterMs: waitMs };
  if (!isIndexed(job)) return creations(job, newPods(job, missing, taken), undefined);
  const next = indexesToStart(job, pods, indexes, { count: missing, now });
  const made = next.indexes.map((index) => newIndexPod(job, index, indexes.last.get(index), taken));
  return creations(job, made, next.nextInMs);
}

function creations(job: Live<Job>, pods: readonly Pod[], againAfterMs: number | undefined): Plan {
  const writes = pods.map((object): ClientWrite => ({ type: 'create', kind: podKind, object }));
  const events = writes.map((write) => told(job, write, 'SuccessfulCreate', 'Created pod'));
  return { writes, events, ...(againAfterMs !== undefined && { againAfterMs }) };
}

function told(object: Live<Job>, after: ClientWrite, reason: string, what: string): PlannedEvent {
  const name = after.type === 'create' ? after.object.metadata?.name : after.type === 'delete' ? after.key.name : '';
  return { kind: jobKind, object, type: 'Normal', reason, message: `${what}: ${name}`, after };
}
