import type { Live } from '@navarch/machinery';
import type { JobBackoff, Pod } from '@navarch/proto';
import { parseTimestamp, timestamp } from '../time.ts';
import { endedMs } from './pods.ts';

/** Kubernetes' numbers: https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy */
const firstMs = 10_000;
const longestMs = 600_000;

/** How long after `failures` in a row, the last at `lastMs`, the next Pod is held back still. */
export function heldBackMs(failures: number, lastMs: number, now: number): number {
  if (failures === 0) return 0;
  const delayMs = Math.min(firstMs * 2 ** Math.min(failures - 1, 30), longestMs);
  // Nodes' clocks may be ahead of ours.
  return Math.max(0, Math.min(delayMs, lastMs + delayMs - now));
}

export function backoffLeftMs(backoff: JobBackoff | undefined, now: number): number {
  if (backoff === undefined) return 0;
  return heldBackMs(backoff.failures, parseTimestamp(backoff.lastFailureTime) ?? now, now);
}

/** The failures since the last success, when these Pods have ended, too. In the order of their ends. */
export function backoffAfter(
  before: JobBackoff | undefined,
  ended: readonly Live<Pod>[],
  now: number,
): JobBackoff | undefined {
  let failures = before?.failures ?? 0;
  let lastFailureTime = before?.lastFailureTime ?? '';
  for (const pod of ended) {
    if (pod.status.phase === 'Succeeded') failures = 0;
    else {
      failures++;
      lastFailureTime = timestamp(Math.min(now, endedMs(pod)));
    }
  }
  return failures === 0 ? undefined : { failures, lastFailureTime };
}
