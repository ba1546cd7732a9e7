import type { ContainerInfo } from '../runtime/runtime.ts';
import type { Failure } from './model.ts';

/** How long an ended container is held back before it starts again, as in the Kubernetes API reference. */
export const firstBackoffMs = 10_000;
export const longestBackoffMs = 300_000;
/** A container that ran this long has recovered. */
export const recoveredAfterMs = 600_000;

/** The annotation on a container that remembers how long it was held back. */
export const backoffAnnotation = 'navarch.io/backoff-ms';

export function mayRestart(policy: string, exitCode: number): boolean {
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

/** The delay before the container that follows `ended`: none the first time, then doubling. */
export function restartBackoffMs(ended: ContainerInfo): number {
  const ranMs = ended.startedAtMs === 0 ? 0 : ended.finishedAtMs - ended.startedAtMs;
  if (ended.attempt === 0 || ranMs >= recoveredAfterMs) return 0;
  const lastMs = Number(ended.annotations[backoffAnnotation] ?? 0);
  return lastMs === 0 ? firstBackoffMs : Math.min(lastMs * 2, longestBackoffMs);
}

/** When a step that failed may be tried again. */
export function retryAtMs(failure: Failure, baseMs = firstBackoffMs, maxMs = longestBackoffMs): number {
  return failure.atMs + Math.min(baseMs * 2 ** (failure.count - 1), maxMs);
}
