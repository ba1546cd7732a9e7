import { completionIndexLabel, jobTrackingFinalizer } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Job, Pod } from '@navarch/proto';
import { isActive, isOver } from '../pod-state.ts';
import { parseTimestamp } from '../time.ts';

/** A Job's Pods, by what is to be done about them. */
export interface JobPods {
  readonly all: readonly Live<Pod>[];
  /** Neither over nor ending. */
  readonly active: readonly Live<Pod>[];
  /** Ending and not over. */
  readonly terminating: readonly Live<Pod>[];
  /** With the finalizer: not counted yet. */
  readonly tracked: readonly Live<Pod>[];
  /** Tracked, and have succeeded. */
  readonly succeeded: readonly Live<Pod>[];
  /** Tracked, and count as failed: over without success or, unless the Job waits for that, ending. */
  readonly failed: readonly Live<Pod>[];
}

export function sortOut(job: Live<Job>, all: readonly Live<Pod>[]): JobPods {
  const tracked = all.filter(isTracked).toSorted(byEnd);
  return {
    all,
    active: all.filter(isActive),
    terminating: all.filter(isTerminating),
    tracked,
    succeeded: tracked.filter(({ status }) => status.phase === 'Succeeded'),
    failed: tracked.filter((pod) => hasFailed(job, pod)),
  };
}

export function isTracked({ metadata }: Live<Pod>): boolean {
  return metadata.finalizers.includes(jobTrackingFinalizer);
}

export function isTerminating({ metadata, status }: Live<Pod>): boolean {
  return metadata.deletionTimestamp !== '' && !isOver(status.phase);
}

function hasFailed(job: Live<Job>, pod: Live<Pod>): boolean {
  if (pod.status.phase === 'Failed') return true;
  return !replacesOnlyFailed(job) && isTerminating(pod);
}

/** Whether a Pod that is ending holds its place until it has ended. */
export function replacesOnlyFailed({ spec }: Live<Job>): boolean {
  return spec.podReplacementPolicy === 'Failed';
}

export function isIndexed({ spec }: Live<Job>): boolean {
  return spec.completionMode === 'Indexed';
}

/** Which of the Job's indexes the Pod is for; undefined when it is for none. */
export function indexOf({ spec }: Live<Job>, { metadata }: Live<Pod>): number | undefined {
  const text = metadata.annotations[completionIndexLabel] ?? '';
  const index = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  return index >= 0 && index < (spec.completions ?? 0) ? index : undefined;
}

/** The Pod without the finalizer: counted, or nothing to count. */
export function letGo(pod: Live<Pod>): Live<Pod> {
  const finalizers = pod.metadata.finalizers.filter((name) => name !== jobTrackingFinalizer);
  return { ...pod, metadata: { ...pod.metadata, finalizers } };
}

/** When the Pod ended, as well as one can tell: when its last container did, or when it was asked to go. */
export function endedMs({ metadata, status }: Live<Pod>): number {
  const exits = [...status.containerStatuses, ...status.initContainerStatuses]
    .map(({ state }) => parseTimestamp(state?.terminated?.finishedAt ?? ''))
    .filter((time) => time !== undefined);
  if (exits.length > 0) return Math.max(...exits);
  const unready = status.conditions.find(({ type, status }) => type === 'Ready' && status === 'False');
  const times = [unready?.lastTransitionTime, metadata.deletionTimestamp, metadata.creationTimestamp];
  return times.map((time) => parseTimestamp(time ?? '')).find((time) => time !== undefined) ?? 0;
}

function byEnd(a: Live<Pod>, b: Live<Pod>): number {
  return endedMs(a) - endedMs(b) || (a.metadata.name < b.metadata.name ? -1 : 1);
}
