import type { RuleSet } from './rules.ts';

/**
 * What was asked for and what was done of late: what stabilisation and policies look back on. It lives in the leader's
 * memory, as in Kubernetes: a new leader begins without.
 */
export interface ScalingHistory {
  /** When it was last looked; undefined at the very beginning. */
  readonly lookedMs: number | undefined;
  /** What the metrics asked for, the oldest first. */
  readonly recommendations: readonly { readonly atMs: number; readonly replicas: number }[];
  /** By how many Pods the target was scaled. */
  readonly changes: readonly { readonly atMs: number; readonly by: number }[];
}

export const noHistory: ScalingHistory = { lookedMs: undefined, recommendations: [], changes: [] };

/** More is only there where somebody changes the spec again and again. */
const mostKept = 1_000;

/** Whoever has not looked for so long does not know what was asked for meanwhile. */
const longestGapMs = 60_000;

/**
 * The history as it is looked back on now. Where there is none the present number counts as asked for now, so that a new
 * leader takes as long to scale down as one that has watched all the time.
 */
export function lookBack(
  { lookedMs, recommendations, changes }: ScalingHistory,
  { up, down }: RuleSet,
  wanted: number,
  nowMs: number,
): ScalingHistory {
  const isNew = lookedMs === undefined || nowMs - lookedMs > longestGapMs;
  const windowMs = Math.max(up.windowMs, down.windowMs);
  const periodMs = Math.max(0, ...[...up.policies, ...down.policies].map((policy) => policy.periodMs));
  const within = (ms: number) => (each: { readonly atMs: number }) => each.atMs > nowMs - ms && each.atMs <= nowMs;
  return {
    lookedMs: nowMs,
    recommendations: isNew
      ? [{ atMs: nowMs, replicas: wanted }]
      : recommendations.filter(within(windowMs)).slice(-mostKept),
    changes: changes.filter(within(periodMs)).slice(-mostKept),
  };
}

/** By how much the target was scaled in the last `periodMs`, ups less downs. */
export function changedWithin({ changes }: Pick<ScalingHistory, 'changes'>, periodMs: number, nowMs: number): number {
  return changes.filter(({ atMs }) => atMs > nowMs - periodMs).reduce((sum, { by }) => sum + by, 0);
}
