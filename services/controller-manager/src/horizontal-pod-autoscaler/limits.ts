import { changedWithin, type ScalingHistory } from './history.ts';
import type { Problem } from './observed.ts';
import type { Rules, RuleSet } from './rules.ts';

/** What became of a number, and why it is not what it was. */
export interface Bounded extends Problem {
  readonly replicas: number;
}

/**
 * Among the present number and what was asked for of late, what changes least: no more than everything asked for in the
 * window upwards allows, and no less than the most that was asked for in the window downwards.
 * Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#stabilization-window
 */
export function stabilize(
  asked: number,
  { wanted, history, rules }: { readonly wanted: number; readonly history: ScalingHistory; readonly rules: RuleSet },
  nowMs: number,
): Bounded {
  const since = (windowMs: number) =>
    history.recommendations.filter(({ atMs }) => atMs > nowMs - windowMs).map(({ replicas }) => replicas);
  const least = Math.min(asked, ...since(rules.up.windowMs));
  const most = Math.max(asked, ...since(rules.down.windowMs));
  const replicas = Math.min(Math.max(wanted, least), most);
  if (replicas === asked) {
    return { replicas, reason: 'ReadyForNewScale', message: 'what is recommended can be done now' };
  }
  return asked > wanted
    ? {
        replicas,
        reason: 'ScaleUpStabilized',
        message: 'less was recommended of late, and the least of it is what counts upwards',
      }
    : {
        replicas,
        reason: 'ScaleDownStabilized',
        message: 'more was recommended of late, and the most of it is what counts downwards',
      };
}

/** The number within minReplicas and maxReplicas, and within what the policies allow now. */
export function limit(
  asked: number,
  {
    wanted,
    history,
    rules,
    min,
    max,
  }: {
    readonly wanted: number;
    readonly history: ScalingHistory;
    readonly rules: RuleSet;
    readonly min: number;
    readonly max: number;
  },
  nowMs: number,
): Bounded {
  const fine = { replicas: asked, reason: 'DesiredWithinRange', message: 'what is recommended is within all bounds' };
  if (asked > wanted) {
    const allowed = Math.max(wanted, upperLimit(wanted, rules.up, history, nowMs));
    if (asked <= Math.min(allowed, max)) return fine;
    return allowed < max
      ? { replicas: allowed, reason: 'ScaleUpLimit', message: 'more is recommended than may be added at once' }
      : { replicas: max, reason: 'TooManyReplicas', message: 'more is recommended than maxReplicas' };
  }
  if (asked < wanted) {
    const allowed = Math.min(wanted, lowerLimit(wanted, rules.down, history, nowMs));
    if (asked >= Math.max(allowed, min)) return fine;
    return allowed > min
      ? { replicas: allowed, reason: 'ScaleDownLimit', message: 'less is recommended than may be removed at once' }
      : { replicas: min, reason: 'TooFewReplicas', message: 'less is recommended than minReplicas' };
  }
  return fine;
}

function upperLimit(wanted: number, rules: Rules, history: ScalingHistory, nowMs: number): number {
  return select(wanted, rules, Math.max, ({ type, value, periodMs }) => {
    const before = wanted - changedWithin(history, periodMs, nowMs);
    // A share of nothing is one Pod: with 0 no percentage would ever lead away from 0.
    return type === 'Pods' ? before + value : Math.max(1, Math.ceil(before * (1 + value / 100) - 1e-9));
  });
}

function lowerLimit(wanted: number, rules: Rules, history: ScalingHistory, nowMs: number): number {
  return select(wanted, rules, Math.min, ({ type, value, periodMs }) => {
    const before = wanted - changedWithin(history, periodMs, nowMs);
    return type === 'Pods' ? before - value : Math.floor(before * (1 - value / 100) + 1e-9);
  });
}

/** `widest` chooses what allows the largest change. */
function select(
  wanted: number,
  { select, policies }: Rules,
  widest: (...limits: number[]) => number,
  limitOf: (policy: Rules['policies'][number]) => number,
): number {
  if (select === 'Disabled') return wanted;
  const limits = policies.map(limitOf);
  const narrowest = widest === Math.max ? Math.min : Math.max;
  return select === 'Max' ? widest(...limits) : narrowest(...limits);
}
