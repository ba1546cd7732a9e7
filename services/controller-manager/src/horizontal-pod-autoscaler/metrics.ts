import type { MetricSpec, MetricStatus } from '@navarch/proto';
import { isProblem, type Problem } from './observed.ts';
import { type Asked, askPods, askResource, type Scene } from './pod-metrics.ts';
import { askExternal, askObject } from './shared-metrics.ts';

/** What all metrics together ask for. */
export interface Asking {
  /** What was read, in the order of the spec. */
  readonly current: readonly MetricStatus[];
  /** What is to be done about it, by which metric; a problem when nothing may be. */
  readonly verdict: { readonly replicas: number; readonly metric: string } | Problem;
}

/**
 * The largest number that a metric asks for. One that can't be read keeps the others from scaling down, for it might ask
 * for more; when none can be read nothing is scaled.
 */
export function askMetrics(metrics: readonly MetricSpec[], scene: Scene): Asking {
  const current: MetricStatus[] = [];
  const problems: Problem[] = [];
  let best: { replicas: number; metric: string } | undefined;
  for (const metric of metrics) {
    const asked = ask(metric, scene);
    if (isProblem(asked)) {
      problems.push(asked);
      continue;
    }
    current.push(statusOf(metric, asked));
    if (best === undefined || asked.replicas > best.replicas)
      best = { replicas: asked.replicas, metric: nameOf(metric) };
  }
  const [problem] = problems;
  const isSafe = problem === undefined || (best !== undefined && best.replicas >= scene.target.wanted);
  if (best !== undefined && isSafe) return { current, verdict: best };
  return { current, verdict: explain(problem, problems.length, metrics.length) };
}

function explain(problem: Problem | undefined, failed: number, all: number): Problem {
  // The api completes a spec that names no metric.
  if (problem === undefined) return { reason: 'InvalidMetricSourceType', message: 'the spec names no metric' };
  const { reason, message } = problem;
  return { reason, message: all === 1 ? message : `${failed} of ${all} metrics can't be read; the first: ${message}` };
}

function ask(metric: MetricSpec, scene: Scene): Asked | Problem {
  const { type, resource, containerResource, pods, object, external } = metric;
  if (resource !== undefined) return askResource(resource, scene);
  if (containerResource !== undefined) return askResource(containerResource, scene);
  if (pods !== undefined) return askPods(pods, scene);
  if (object !== undefined) return askObject(object, scene);
  if (external !== undefined) return askExternal(external, scene);
  return { reason: 'InvalidMetricSourceType', message: `a metric of the type "${type}" says nothing` };
}

function statusOf(metric: MetricSpec, { current }: Asked): MetricStatus {
  const { type, resource, containerResource, pods, object, external } = metric;
  return {
    type,
    resource: resource && { name: resource.name, current },
    containerResource: containerResource && {
      name: containerResource.name,
      container: containerResource.container,
      current,
    },
    pods: pods && { metric: pods.metric, current },
    object: object && { metric: object.metric, describedObject: object.describedObject, current },
    external: external && { metric: external.metric, current },
  };
}

/** How a rescale is explained. */
function nameOf({ type, resource, containerResource, pods, object, external }: MetricSpec): string {
  switch (type) {
    case 'Resource':
      return `${resource?.name} of the Pods`;
    case 'ContainerResource':
      return `${containerResource?.name} of container ${containerResource?.container}`;
    case 'Pods':
      return `${pods?.metric?.name} of the Pods`;
    case 'Object':
      return `${object?.metric?.name} of ${object?.describedObject?.kind}/${object?.describedObject?.name}`;
    default:
      return `the external metric ${external?.metric?.name}`;
  }
}
