import { conditionOf } from '../conditions.ts';
import { isOver } from '../pod-state.ts';
import { parseTimestamp } from '../time.ts';
import type { MeasuredPod } from './observed.ts';

/** What is known of one Pod: its value of a metric, when that was read, and over which time. */
export interface Sample {
  readonly value: number;
  readonly atMs: number;
  readonly windowMs: number;
}

export interface PodGroups {
  /** Their value counts. */
  readonly ready: readonly { readonly measured: MeasuredPod; readonly value: number }[];
  /** Not ready, or not for long enough for cpu to mean anything: starting is work. */
  readonly unready: readonly MeasuredPod[];
  /** Nothing is known of them. */
  readonly missing: readonly MeasuredPod[];
}

/** Kubernetes' own (--horizontal-pod-autoscaler-cpu-initialization-period and -initial-readiness-delay). */
const startingMs = 5 * 60_000;
const readinessDelayMs = 30_000;

/**
 * Who counts, and how. Pods that are over or going are left out altogether.
 * Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
 */
export function groupPods(
  pods: readonly MeasuredPod[],
  sampleOf: (measured: MeasuredPod) => Sample | undefined,
  { isCpu, nowMs }: { readonly isCpu: boolean; readonly nowMs: number },
): PodGroups {
  const ready: { measured: MeasuredPod; value: number }[] = [];
  const unready: MeasuredPod[] = [];
  const missing: MeasuredPod[] = [];
  for (const measured of pods) {
    const { metadata, status } = measured.pod;
    if (metadata.deletionTimestamp !== '' || isOver(status.phase)) continue;
    const sample = sampleOf(measured);
    if (status.phase !== 'Running') unready.push(measured);
    else if (sample === undefined) missing.push(measured);
    else if (isCpu && isStarting(measured, sample, nowMs)) unready.push(measured);
    else ready.push({ measured, value: sample.value });
  }
  return { ready, unready, missing };
}

function isStarting({ pod: { status } }: MeasuredPod, { atMs, windowMs }: Sample, nowMs: number): boolean {
  const condition = conditionOf(status.conditions, 'Ready');
  const startedMs = parseTimestamp(status.startTime);
  const changedMs = parseTimestamp(condition?.lastTransitionTime ?? '');
  if (condition === undefined || startedMs === undefined || changedMs === undefined) return true;
  const isReady = condition.status !== 'False';
  // In its first minutes it counts while it is ready, from the first sample on that is of its time as a ready one alone.
  if (startedMs + startingMs > nowMs) return !isReady || atMs < changedMs + windowMs;
  // Later it counts also when it is not ready, unless it has never been.
  return !isReady && startedMs + readinessDelayMs > changedMs;
}
