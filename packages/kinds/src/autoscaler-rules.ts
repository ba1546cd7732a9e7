import { type FieldError, parseQuantity } from '@navarch/machinery';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  HPAScalingRules,
  MetricSpec,
  MetricTarget,
} from '@navarch/proto';

/**
 * Defaults and rules of autoscalers.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/
 */
export function completeAutoscaler(spec: HorizontalPodAutoscalerSpec): void {
  if (spec.metrics.length === 0) spec.metrics = [cpuMetric(80)];
  if (spec.behavior === undefined) return;
  const { behavior } = spec;
  behavior.scaleUp = completeRules(behavior.scaleUp, standardScaleUp);
  behavior.scaleDown = completeRules(behavior.scaleDown, standardScaleDown);
}

/** cpu, as a percentage of what the Pods request. */
export function cpuMetric(averageUtilization: number): MetricSpec {
  const target = { type: 'Utilization', averageUtilization, value: undefined, averageValue: undefined };
  return {
    type: 'Resource',
    resource: { name: 'cpu', target },
    object: undefined,
    pods: undefined,
    containerResource: undefined,
    external: undefined,
  };
}

/** How fast it goes up where nothing is said. */
export const standardScaleUp: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
  tolerance: undefined,
};

/** How fast it goes down where nothing is said. */
export const standardScaleDown: HPAScalingRules = {
  stabilizationWindowSeconds: 300,
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
  tolerance: undefined,
};

function completeRules(given: HPAScalingRules | undefined, standard: HPAScalingRules): HPAScalingRules {
  return {
    stabilizationWindowSeconds: given?.stabilizationWindowSeconds ?? standard.stabilizationWindowSeconds,
    selectPolicy: given?.selectPolicy ?? standard.selectPolicy,
    policies: given === undefined || given.policies.length === 0 ? structuredClone(standard.policies) : given.policies,
    tolerance: given?.tolerance,
  };
}

export function validateAutoscaler({ spec }: HorizontalPodAutoscaler): FieldError[] {
  if (spec === undefined) return [];
  const { minReplicas = 1, maxReplicas, metrics, behavior } = spec;
  const errors = metrics.flatMap((metric, index) => validateMetric(metric, `spec.metrics[${index}]`));
  if (maxReplicas < minReplicas) {
    errors.push({ path: 'spec.maxReplicas', message: `must not be less than minReplicas (${minReplicas})` });
  }
  if (minReplicas === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')) {
    const message =
      'must be 1 or more, unless a metric is of type Object or External: where no Pod runs nothing else can be measured, and there would be no way back from 0';
    errors.push({ path: 'spec.minReplicas', message });
  }
  for (const [name, rules] of Object.entries({ scaleUp: behavior?.scaleUp, scaleDown: behavior?.scaleDown })) {
    const { tolerance } = rules ?? {};
    if (tolerance !== undefined && (parseQuantity(tolerance) ?? 0n) < 0n) {
      errors.push({ path: `spec.behavior.${name}.tolerance`, message: `"${tolerance}" must not be negative` });
    }
  }
  return errors;
}

/** By the type of a metric: the field that says it, and what its target may be. */
const sources: Readonly<Record<string, { readonly field: keyof MetricSpec; readonly targets: readonly string[] }>> = {
  Resource: { field: 'resource', targets: ['Utilization', 'AverageValue'] },
  ContainerResource: { field: 'containerResource', targets: ['Utilization', 'AverageValue'] },
  Pods: { field: 'pods', targets: ['AverageValue'] },
  Object: { field: 'object', targets: ['Value', 'AverageValue'] },
  External: { field: 'external', targets: ['Value', 'AverageValue'] },
};

function validateMetric(metric: MetricSpec, path: string): FieldError[] {
  const source = sources[metric.type];
  // A type that is none, and a target that is missing, are the schema's to refuse.
  if (source === undefined) return [];
  const errors: FieldError[] = [];
  for (const { field } of Object.values(sources)) {
    const isSet = metric[field] !== undefined;
    if (field === source.field && !isSet) {
      errors.push({ path: `${path}.${field}`, message: `must be set for the type ${metric.type}` });
    } else if (field !== source.field && isSet) {
      errors.push({ path: `${path}.${field}`, message: `must not be set for the type ${metric.type}` });
    }
  }
  const said = metric[source.field];
  const target = typeof said === 'object' ? said.target : undefined;
  if (target !== undefined) errors.push(...validateTarget(target, source.targets, `${path}.${source.field}.target`));
  return errors;
}

const targetFields = { Utilization: 'averageUtilization', Value: 'value', AverageValue: 'averageValue' } as const;

function validateTarget(target: MetricTarget, allowed: readonly string[], path: string): FieldError[] {
  const { type } = target;
  if (!(type in targetFields)) return [];
  if (!allowed.includes(type)) {
    return [{ path: `${path}.type`, message: `must be ${allowed.join(' or ')} here, not "${type}"` }];
  }
  return Object.entries(targetFields).flatMap(([each, field]): FieldError[] => {
    const value = target[field];
    const at = `${path}.${field}`;
    if (each !== type)
      return value === undefined ? [] : [{ path: at, message: `must not be set for the type ${type}` }];
    if (value === undefined) return [{ path: at, message: `must be set for the type ${type}` }];
    if (typeof value === 'string' && (parseQuantity(value) ?? 1n) <= 0n) {
      return [{ path: at, message: `"${value}" must be more than 0` }];
    }
    return [];
  });
}
