import type { Probe } from '@navarch/proto';

/** Where a probe stands: `healthy` is undefined until it has said something for certain. */
export interface ProbeState {
  readonly healthy: boolean | undefined;
  /** Results alike in a row, up to the last. */
  readonly run: { readonly passed: boolean; readonly length: number } | undefined;
}

export const unprobed: ProbeState = { healthy: undefined, run: undefined };

/** One more result. What was healthy stays so until enough failures come in a row, and the other way round. */
export function probeStep(state: ProbeState, probe: Probe, passed: boolean): ProbeState {
  const length = state.run?.passed === passed ? state.run.length + 1 : 1;
  const threshold = passed ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
  return { healthy: length >= threshold ? passed : state.healthy, run: { passed, length } };
}

/** How long after the container's start the first check comes, and the time between two. */
export function probeTimes(probe: Probe): { delayMs: number; periodMs: number; timeoutMs: number } {
  return {
    delayMs: probe.initialDelaySeconds * 1000,
    periodMs: (probe.periodSeconds ?? 10) * 1000,
    timeoutMs: (probe.timeoutSeconds ?? 1) * 1000,
  };
}
