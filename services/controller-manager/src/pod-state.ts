import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { conditionOf } from './conditions.ts';
import { parseTimestamp } from './time.ts';

/** Neither over nor being deleted. */
export function isActive({ metadata, status }: Live<Pod>): boolean {
  return metadata.deletionTimestamp === '' && !isOver(status.phase);
}

/** Whether all containers have ended for good. */
export function isOver(phase: string): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

export function isReady({ status }: Live<Pod>): boolean {
  return conditionOf(status.conditions, 'Ready')?.status === 'True';
}

/** When the Pod last became ready; undefined while it isn't. */
export function readySinceMs({ status }: Live<Pod>): number | undefined {
  const ready = conditionOf(status.conditions, 'Ready');
  return ready?.status === 'True' ? parseTimestamp(ready.lastTransitionTime) : undefined;
}

/** Milliseconds until the Pod has been ready for `minReadySeconds`: 0 when it has, undefined when it isn't ready. */
export function availableInMs(pod: Live<Pod>, minReadySeconds: number, nowMs: number): number | undefined {
  if (!isReady(pod)) return undefined;
  if (minReadySeconds === 0) return 0;
  return Math.max(0, (readySinceMs(pod) ?? nowMs) + minReadySeconds * 1000 - nowMs);
}
