import type { ExternalMetricSource, MetricTarget, ObjectMetricSource, PushedMetric } from '@navarch/proto';
import { isActive, isReady } from '../pod-state.ts';
import type { Problem } from './observed.ts';
import { type Asked, labelSelectorPredicateOrAll, milli, quantity, type Scene, valueStatus } from './pod-metrics.ts';
import { replicasByShare, replicasByValue } from './replica-count.ts';

/** What one object has of something that is pushed. */
export function askObject({ metric, describedObject, target }: ObjectMetricSource, scene: Scene): Asked | Problem {
  const group = groupOf(describedObject?.apiVersion ?? '');
  const isOfIt = ({ object }: PushedMetric) =>
    object !== undefined &&
    object.kind === describedObject?.kind &&
    object.name === describedObject.name &&
    groupOf(object.apiVersion) === group;
  const value = sumOf(scene, metric, isOfIt);
  if (value !== undefined) return byTarget(value, target, scene);
  const of = `${describedObject?.kind}/${describedObject?.name}`;
  return {
    reason: 'FailedGetObjectMetric',
    message: `no value of "${metric?.name}" of ${of} is known: ${scene.unheard.pushed}`,
  };
}

/** What belongs to no object. */
export function askExternal({ metric, target }: ExternalMetricSource, scene: Scene): Asked | Problem {
  const value = sumOf(scene, metric, ({ object }) => object === undefined);
  if (value !== undefined) return byTarget(value, target, scene);
  return {
    reason: 'FailedGetExternalMetric',
    message: `no value of "${metric?.name}" is known: ${scene.unheard.pushed}`,
  };
}

function sumOf(
  { pushed }: Scene,
  metric: ExternalMetricSource['metric'],
  isOfIt: (each: PushedMetric) => boolean,
): number | undefined {
  const chosen = labelSelectorPredicateOrAll(metric?.selector);
  const series = pushed.filter((each) => each.name === metric?.name && isOfIt(each) && chosen(each.labels));
  return series.length === 0 ? undefined : series.reduce((sum, { value }) => sum + milli(value), 0);
}

function byTarget(value: number, said: MetricTarget | undefined, { target, pods, rules }: Scene): Asked {
  const { wanted, current } = target;
  if (said?.type === 'AverageValue') {
    const replicas = replicasByShare(wanted, { value, target: milli(said.averageValue), rules });
    const share = current === 0 ? value : value / current;
    return { replicas, current: valueStatus({ averageValue: quantity(share, 'decimal') }) };
  }
  const ready = pods.filter(({ pod }) => isActive(pod) && isReady(pod)).length;
  const replicas = replicasByValue(wanted, ready, { value, target: milli(said?.value), rules });
  return { replicas, current: valueStatus({ value: quantity(value, 'decimal') }) };
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}
