import { indexFailuresAnnotation, indexIgnoredFailuresAnnotation } from '@navarch/kinds';
import { IndexSet, type Live } from '@navarch/machinery';
import type { Job, Pod } from '@navarch/proto';
import { heldBackMs } from './back-off.ts';
import { judge } from './failure-policy.ts';
import { endedMs, indexOf, isIndexed, type JobPods, replacesOnlyFailed } from './pods.ts';

/** Where the indexes of an Indexed Job stand, what is not counted yet included. */
export interface Indexes {
  readonly completed: IndexSet;
  /** Failed for good; empty without backoffLimitPerIndex. */
  readonly failed: IndexSet;
  /**
   * With backoffLimitPerIndex: of each index that is to be tried again, the Pod that failed last. It says how often the
   * index has failed, and is kept from going until another Pod carries that number on.
   */
  readonly last: ReadonlyMap<number, Live<Pod>>;
}

export function indexesOf(job: Live<Job>, pods: JobPods): Indexes {
  if (!isIndexed(job)) return { completed: IndexSet.empty, failed: IndexSet.empty, last: new Map() };
  const { status, spec } = job;
  const known = (of: readonly Live<Pod>[]) =>
    IndexSet.of(of.map((pod) => indexOf(job, pod)).filter((index) => index !== undefined));
  // After completions became fewer, those beyond are forgotten.
  const before = (text: string) => (IndexSet.parse(text) ?? IndexSet.empty).below(spec.completions ?? 0);
  const completed = before(status.completedIndexes).union(known(pods.succeeded));
  if (!hasLimitPerIndex(job)) return { completed, failed: IndexSet.empty, last: new Map() };
  const failed = before(status.failedIndexes ?? '').union(known(pods.failed.filter((pod) => isLastFailure(job, pod))));
  const underWay = known(pods.active);
  const last = new Map<number, Live<Pod>>();
  for (const pod of pods.failed) {
    const index = indexOf(job, pod);
    if (index === undefined || [completed, failed, underWay].some((set) => set.has(index))) continue;
    const present = last.get(index);
    if (present === undefined || failuresOf(present).all <= failuresOf(pod).all) last.set(index, pod);
  }
  return { completed, failed, last };
}

export function hasLimitPerIndex({ spec }: Live<Job>): boolean {
  return spec.completionMode === 'Indexed' && spec.backoffLimitPerIndex !== undefined;
}

/** Whether the failure of this Pod is its index's last: there were enough before it, or the policy says so. */
function isLastFailure(job: Live<Job>, pod: Live<Pod>): boolean {
  const { action } = judge(job, pod);
  if (action === 'FailIndex') return true;
  return action !== 'Ignore' && failuresOf(pod).counted >= (job.spec.backoffLimitPerIndex ?? 0);
}

/** How often its index had failed when the Pod was made. */
function failuresOf({ metadata: { annotations } }: Live<Pod>): { counted: number; all: number } {
  const number = (name: string) => Math.max(0, Number.parseInt(annotations[name] ?? '0', 10) || 0);
  const counted = number(indexFailuresAnnotation);
  return { counted, all: counted + number(indexIgnoredFailuresAnnotation) };
}

/** What the Pod says that takes the place of `last`: how often its index has failed. */
export function failureAnnotations(job: Live<Job>, last: Live<Pod> | undefined): Record<string, string> {
  if (!hasLimitPerIndex(job)) return {};
  if (last === undefined) return { [indexFailuresAnnotation]: '0' };
  const before = failuresOf(last);
  const ignored = before.all - before.counted + (judge(job, last).action === 'Ignore' ? 1 : 0);
  return {
    [indexFailuresAnnotation]: String(before.all + 1 - ignored),
    ...(ignored > 0 && { [indexIgnoredFailuresAnnotation]: String(ignored) }),
  };
}

/** The first `count` indexes that need a Pod and may have one now, and when the next of the others may. */
export function indexesToStart(
  job: Live<Job>,
  pods: JobPods,
  { completed, failed, last }: Indexes,
  { count, now }: { readonly count: number; readonly now: number },
): { readonly indexes: readonly number[]; readonly nextInMs: number | undefined } {
  const holders = replacesOnlyFailed(job) ? [...pods.active, ...pods.terminating] : pods.active;
  const taken = new Set(holders.map((pod) => indexOf(job, pod)));
  const indexes: number[] = [];
  let nextInMs: number | undefined;
  for (let index = 0; index < (job.spec.completions ?? 0) && indexes.length < count; index++) {
    if (taken.has(index) || completed.has(index) || failed.has(index)) continue;
    const before = last.get(index);
    const waitMs = before === undefined ? 0 : heldBackMs(failuresOf(before).all + 1, endedMs(before), now);
    if (waitMs === 0) indexes.push(index);
    else nextInMs = Math.min(nextInMs ?? waitMs, waitMs);
  }
  return { indexes, nextInMs };
}
