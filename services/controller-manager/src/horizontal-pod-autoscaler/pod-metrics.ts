import { formatQuantity, labelSelectorPredicate, parseQuantity } from '@navarch/machinery';
import type {
  ContainerResourceMetricSource,
  MetricValueStatus,
  PodsMetricSource,
  PushedMetric,
  ResourceMetricSource,
} from '@navarch/proto';
import { parseTimestamp } from '../time.ts';
import type { MeasuredPod, Observed, Problem, Target } from './observed.ts';
import { groupPods, type Sample } from './pod-groups.ts';
import { average, averageGauge, replicasByPods, utilization, utilizationGauge, type Weighed } from './replica-count.ts';
import type { RuleSet } from './rules.ts';

/** What a metric asks for, and what it was. */
export interface Asked {
  readonly replicas: number;
  readonly current: MetricValueStatus;
}

/** What metrics are read against. */
export interface Scene extends Pick<Observed, 'pods' | 'pushed' | 'unheard'> {
  readonly target: Target;
  readonly rules: RuleSet;
  readonly nowMs: number;
}

type Resource = 'cpu' | 'memory';

/** What the Pods, or one container of each, use of cpu or memory. */
export function askResource(
  source: ResourceMetricSource | ContainerResourceMetricSource,
  scene: Scene,
): Asked | Problem {
  const container = 'container' in source ? source.container : undefined;
  const reason = container === undefined ? 'FailedGetResourceMetric' : 'FailedGetContainerResourceMetric';
  // What else it could be, the schema has refused.
  const name = source.name as Resource;
  const { averageUtilization: percent, averageValue } = source.target ?? {};
  const groups = groupPods(scene.pods, (pod) => usageOf(pod, name, container), {
    isCpu: name === 'cpu',
    nowMs: scene.nowMs,
  });
  if (groups.ready.length === 0) return { reason, message: nothingKnown(name, scene, scene.unheard.usage) };
  const units = name === 'cpu' ? 'decimal' : 'binary';
  const values = groups.ready.map(({ measured, value }) => ({ measured, value }));
  if (percent === undefined) {
    const replicas = byPods(values, groups, () => 1, averageGauge(milli(averageValue)), scene);
    return { replicas, current: valueStatus({ averageValue: quantity(average(values), units) }) };
  }
  const unrequested = requestProblem(
    [...groups.ready.map(({ measured }) => measured), ...groups.unready, ...groups.missing],
    name,
    container,
  );
  if (unrequested !== undefined) return { reason, message: unrequested };
  const requestOf = (pod: MeasuredPod) => requestedBy(pod, name, container);
  const replicas = byPods(values, groups, requestOf, utilizationGauge(percent), scene);
  const weighed = values.map(({ measured, value }) => ({ value, request: requestOf(measured) }));
  return {
    replicas,
    current: valueStatus({
      averageUtilization: utilization(weighed),
      averageValue: quantity(average(weighed), units),
    }),
  };
}

/** What each Pod has of something that is pushed. */
export function askPods({ metric, target }: PodsMetricSource, scene: Scene): Asked | Problem {
  const name = metric?.name ?? '';
  const chosen = labelSelectorPredicateOrAll(metric?.selector);
  const series = new Map<string, PushedMetric[]>();
  for (const each of scene.pushed) {
    if (each.name !== name || each.object?.kind !== 'Pod' || !chosen(each.labels)) continue;
    series.set(each.object.name, [...(series.get(each.object.name) ?? []), each]);
  }
  const sampleOf = ({ pod }: MeasuredPod) => sampleOfSeries(series.get(pod.metadata.name));
  const groups = groupPods(scene.pods, sampleOf, { isCpu: false, nowMs: scene.nowMs });
  if (groups.ready.length === 0)
    return { reason: 'FailedGetPodsMetric', message: nothingKnown(name, scene, scene.unheard.pushed) };
  const replicas = byPods(groups.ready, groups, () => 1, averageGauge(milli(target?.averageValue)), scene);
  return { replicas, current: valueStatus({ averageValue: quantity(average(groups.ready), 'decimal') }) };
}

function byPods(
  ready: readonly { readonly measured: MeasuredPod; readonly value: number }[],
  { unready, missing }: { readonly unready: readonly MeasuredPod[]; readonly missing: readonly MeasuredPod[] },
  requestOf: (pod: MeasuredPod) => number,
  gauge: Parameters<typeof replicasByPods>[2],
  { target, rules }: Scene,
): number {
  const weighed: Weighed[] = ready.map(({ measured, value }) => ({ value, request: requestOf(measured) }));
  const pods = { ready: weighed, unready: unready.map(requestOf), missing: missing.map(requestOf) };
  return replicasByPods(target.wanted, pods, gauge, rules);
}

function usageOf({ usage }: MeasuredPod, resource: Resource, container: string | undefined): Sample | undefined {
  if (usage === undefined) return undefined;
  const containers = usage.containers.filter(({ name }) => container === undefined || name === container);
  if (containers.length === 0) return undefined;
  const value = containers.reduce((sum, each) => sum + each[resource], 0);
  return { value, atMs: usage.atMs, windowMs: usage.windowMs };
}

function sampleOfSeries(series: readonly PushedMetric[] | undefined): Sample | undefined {
  if (series === undefined) return undefined;
  const value = series.reduce((sum, each) => sum + milli(each.value), 0);
  return { value, atMs: Math.max(...series.map(({ time }) => parseTimestamp(time) ?? 0)), windowMs: 0 };
}

/** In thousandths. */
function requestedBy({ pod }: MeasuredPod, resource: Resource, container: string | undefined): number {
  return containersOf(pod, container).reduce((sum, { resources }) => sum + milli(resources?.requests[resource]), 0);
}

function requestProblem(
  pods: readonly MeasuredPod[],
  resource: Resource,
  container: string | undefined,
): string | undefined {
  for (const { pod } of pods) {
    const containers = containersOf(pod, container);
    const { name } = pod.metadata;
    if (containers.length === 0) return `Pod ${name} has no container "${container}"`;
    const without = containers.find(({ resources }) => milli(resources?.requests[resource]) <= 0);
    if (without !== undefined) {
      return `container "${without.name}" of Pod ${name} requests no ${resource}, so there is nothing to take a percentage of`;
    }
  }
  return undefined;
}

function containersOf({ spec }: MeasuredPod['pod'], container: string | undefined) {
  return spec.containers.filter(({ name }) => container === undefined || name === container);
}

function nothingKnown(what: string, { pods }: Scene, unheard: string): string {
  if (pods.length === 0) return `there is no Pod to measure ${what} of`;
  return `${what} is known of no Pod that is ready (of ${pods.length}): ${unheard}`;
}

export function labelSelectorPredicateOrAll(
  selector: Parameters<typeof labelSelectorPredicate>[0],
): (labels: Readonly<Record<string, string>>) => boolean {
  return selector === undefined ? () => true : labelSelectorPredicate(selector);
}

/** In thousandths; 0 for what is absent. */
export function milli(text: string | undefined): number {
  return Number(parseQuantity(text ?? '') ?? 0n) / 1e6;
}

/** Thousandths as a quantity. Bytes without a fraction. */
export function quantity(value: number, units: 'decimal' | 'binary'): string {
  const rounded = units === 'binary' ? Math.round(value / 1000) * 1000 : Math.round(value);
  return formatQuantity(BigInt(rounded) * 1_000_000n, units);
}

export function valueStatus(value: Partial<MetricValueStatus>): MetricValueStatus {
  return { value: undefined, averageValue: undefined, averageUtilization: undefined, ...value };
}
