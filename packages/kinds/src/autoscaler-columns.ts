import { formatLabelSelector } from '@navarch/machinery';
import type {
  HorizontalPodAutoscaler,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '@navarch/proto';
import { none } from './columns.ts';

const unknown = '<unknown>';
/** As many metrics as a table has room for. */
const mostShown = 2;

/** One metric of an autoscaler in words: which, what it was, and what it should be. */
export interface MetricText {
  /** `cpu`, `requests_per_second of Pods`. */
  readonly name: string;
  /** `12%`, `<unknown>`. */
  readonly current: string;
  readonly target: string;
}

/** `cpu: 12%/50%, memory: 80Mi/100Mi`. A metric that was not read is `<unknown>`. */
export function targetsText({ spec, status }: HorizontalPodAutoscaler): string {
  const texts = metricTexts(spec?.metrics ?? [], status?.currentMetrics ?? []);
  const shown = texts.slice(0, mostShown).map(({ name, current, target }) => `${name}: ${current}/${target}`);
  const more = texts.length - shown.length;
  return `${shown.join(', ') || none}${more > 0 ? ` + ${more} more...` : ''}`;
}

/** Every metric of the spec with what is known of it. */
export function metricTexts(metrics: readonly MetricSpec[], found: readonly MetricStatus[]): readonly MetricText[] {
  return metrics.map((metric) => {
    const key = metricKey(metric);
    const status = found.find((each) => metricKey(each) === key);
    const target = sourceOf(metric)?.target;
    return {
      name: nameOf(metric),
      current: currentText(status && valueOf(status), target),
      target: targetText(target),
    };
  });
}

/** What tells the metrics of one autoscaler apart, in its spec and in its status. */
export function metricKey(metric: MetricSpec | MetricStatus): string {
  const { type, resource, containerResource, pods, object, external } = metric;
  const identified = (pods ?? object ?? external)?.metric;
  const described = object?.describedObject;
  return JSON.stringify([
    type,
    resource?.name ?? containerResource?.name ?? identified?.name,
    containerResource?.container,
    identified?.selector === undefined ? '' : formatLabelSelector(identified.selector),
    described && [described.kind, described.apiVersion, described.name],
  ]);
}

/** The part of a metric that its type names. */
export function sourceOf({
  type,
  resource,
  containerResource,
  pods,
  object,
  external,
}: MetricSpec):
  | { readonly target: MetricTarget | undefined; readonly metric?: MetricIdentifier | undefined }
  | undefined {
  return { Resource: resource, ContainerResource: containerResource, Pods: pods, Object: object, External: external }[
    type
  ];
}

function valueOf({ resource, containerResource, pods, object, external }: MetricStatus): MetricValueStatus | undefined {
  return (resource ?? containerResource ?? pods ?? object ?? external)?.current;
}

function nameOf({ type, resource, containerResource, pods, object, external }: MetricSpec): string {
  const identified = (pods ?? object ?? external)?.metric?.name ?? '';
  switch (type) {
    case 'Resource':
      return resource?.name ?? '';
    case 'ContainerResource':
      return `${containerResource?.name} of ${containerResource?.container}`;
    case 'Object':
      return `${identified} of ${object?.describedObject?.kind}/${object?.describedObject?.name}`;
    default:
      return identified;
  }
}

function targetText(target: MetricTarget | undefined): string {
  if (target?.type === 'Utilization') return `${target.averageUtilization ?? 0}%`;
  if (target?.type === 'AverageValue') return `${target.averageValue} (avg)`;
  return target?.value ?? unknown;
}

function currentText(current: MetricValueStatus | undefined, target: MetricTarget | undefined): string {
  if (target?.type === 'Utilization') {
    return current?.averageUtilization === undefined ? unknown : `${current.averageUtilization}%`;
  }
  return (target?.type === 'AverageValue' ? current?.averageValue : current?.value) ?? unknown;
}
