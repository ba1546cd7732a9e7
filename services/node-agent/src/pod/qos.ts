import type { Live } from '@navarch/machinery';
import type { Container, Pod } from '@navarch/proto';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** How the Pod is served when resources are short, by the rules of the Kubernetes API reference (status.qosClass). */
export function qosClass(pod: Live<Pod>): QosClass {
  const containers = [...pod.spec.initContainers, ...pod.spec.containers];
  if (containers.every((container) => resourceNames(container).length === 0)) return 'BestEffort';
  return containers.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}

function resourceNames({ resources }: Container): string[] {
  const names = [...Object.keys(resources?.requests ?? {}), ...Object.keys(resources?.limits ?? {})];
  return names.filter((name) => name === 'cpu' || name === 'memory');
}

function isGuaranteed({ resources }: Container): boolean {
  return ['cpu', 'memory'].every((name) => {
    const limit = resources?.limits[name];
    // An absent request counts as the limit.
    return limit !== undefined && (resources?.requests[name] ?? limit) === limit;
  });
}
