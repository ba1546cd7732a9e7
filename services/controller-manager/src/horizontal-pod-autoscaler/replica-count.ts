import { isTolerable, type RuleSet } from './rules.ts';

/** A Pod's value of a metric, and what it requests: 1 where that is not what the target is about. */
export interface Weighed {
  readonly value: number;
  readonly request: number;
}

/** How a metric of Pods is compared with its target. */
export interface Gauge {
  /** How many times the target it is. */
  ratio(pods: readonly Weighed[]): number;
  /** What a Pod of which nothing is known is taken to use when there may soon be fewer. */
  assumed(request: number): number;
}

/** A percentage of what the Pods request. Whole percents, so that what is shown is what was decided by. */
export function utilization(pods: readonly Weighed[]): number {
  const requested = sum(pods, ({ request }) => request);
  return Math.floor((sum(pods, ({ value }) => value) * 100) / requested + 1e-9);
}

export function utilizationGauge(target: number): Gauge {
  return {
    ratio: (pods) => utilization(pods) / target,
    assumed: (request) => (request * Math.max(100, target)) / 100,
  };
}

export function averageGauge(target: number): Gauge {
  return { ratio: (pods) => average(pods) / target, assumed: () => target };
}

export function average(pods: readonly Pick<Weighed, 'value'>[]): number {
  return sum(pods, ({ value }) => value) / pods.length;
}

/**
 * How many Pods it takes for a metric of theirs to be at its target: present × value / target, rounded up. Pods of which
 * nothing is known count so that they hold back what is done: as if they used nothing when there may be more, as if they
 * used all that they may when there may be fewer; those that are not ready use nothing. Where that turns the tide, nothing
 * is done.
 * Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
 */
export function replicasByPods(
  wanted: number,
  pods: {
    /** At least one. */
    readonly ready: readonly Weighed[];
    /** What they request. */
    readonly unready: readonly number[];
    readonly missing: readonly number[];
  },
  gauge: Gauge,
  rules: RuleSet,
): number {
  const { ready, unready, missing } = pods;
  const ratio = gauge.ratio(ready);
  const withUnready = ratio > 1 && unready.length > 0;
  if (!withUnready && missing.length === 0) {
    return isTolerable(ratio, rules) ? wanted : roundUp(ratio * ready.length);
  }
  const counted = [...ready];
  if (ratio !== 1) {
    const assumed = (request: number) => (ratio < 1 ? gauge.assumed(request) : 0);
    counted.push(...missing.map((request) => ({ value: assumed(request), request })));
  }
  if (withUnready) counted.push(...unready.map((request) => ({ value: 0, request })));
  const careful = gauge.ratio(counted);
  const turned = (ratio < 1 && careful > 1) || (ratio > 1 && careful < 1);
  if (turned || isTolerable(careful, rules)) return wanted;
  const replicas = roundUp(careful * counted.length);
  const wrongWay = (careful < 1 && replicas > wanted) || (careful > 1 && replicas < wanted);
  return wrongWay ? wanted : replicas;
}

/** How many Pods it takes for a metric that they have in common to be at its target. */
export function replicasByValue(
  wanted: number,
  readyPods: number,
  { value, target, rules }: { readonly value: number; readonly target: number; readonly rules: RuleSet },
): number {
  const ratio = value / target;
  if (wanted === 0) return roundUp(ratio);
  if (isTolerable(ratio, rules)) return wanted;
  // While none is ready yet, nothing that the Pods do can be in the value.
  if (readyPods === 0) return ratio === 0 ? 0 : wanted;
  return roundUp(ratio * readyPods);
}

/** How many Pods it takes for each to have its share of a metric. */
export function replicasByShare(
  wanted: number,
  { value, target, rules }: { readonly value: number; readonly target: number; readonly rules: RuleSet },
): number {
  const isClose = wanted > 0 && isTolerable(value / (target * wanted), rules);
  return isClose ? wanted : roundUp(value / target);
}

/** Up, but for what is left of a number by counting in binary. */
function roundUp(count: number): number {
  return Math.max(0, Math.ceil(count - 1e-9));
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
