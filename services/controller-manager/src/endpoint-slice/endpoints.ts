import type { Live } from '@navarch/machinery';
import { Endpoint, type EndpointPort, type Pod, type Service, type ServicePort } from '@navarch/proto';
import { isOver, isReady } from '../pod-state.ts';

/** Pods that serve the same ports share slices. */
export interface PortGroup {
  readonly ports: readonly EndpointPort[];
  /** By address, which is what tells endpoints apart. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
}

/**
 * Who serves the Service, grouped by the ports they serve: a named target port may be another number in each Pod, and a
 * Pod that has no port of that name doesn't serve it.
 */
export function portGroups(service: Live<Service>, pods: readonly Live<Pod>[]): ReadonlyMap<string, PortGroup> {
  const groups = new Map<string, { ports: readonly EndpointPort[]; endpoints: Map<string, Endpoint> }>();
  for (const pod of pods) {
    const ip = pod.status.podIp;
    if (ip === '' || isOver(pod.status.phase)) continue;
    const ports = resolvePorts(service, pod);
    if (ports.length === 0 && service.spec.ports.length > 0) continue;
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, endpoints: new Map() };
    groups.set(key, group);
    group.endpoints.set(ip, endpointOf(service, pod));
  }
  return groups;
}

export function portsKey(ports: readonly EndpointPort[]): string {
  const texts = ports.map(({ name, protocol = 'TCP', port }) => `${name}/${protocol}/${port}`);
  return texts.toSorted().join(',');
}

function endpointOf(service: Live<Service>, pod: Live<Pod>): Endpoint {
  const { spec } = service;
  const { metadata, status } = pod;
  const terminating = metadata.deletionTimestamp !== '';
  const serving = isReady(pod);
  const ready = spec.publishNotReadyAddresses || (serving && !terminating);
  return Endpoint.create({
    addresses: [status.podIp],
    conditions: { ready, serving, terminating },
    hostname: hasNameOf(service, pod) ? pod.spec.hostname : '',
    targetRef: { kind: 'Pod', namespace: metadata.namespace, name: metadata.name, uid: metadata.uid },
    nodeName: pod.spec.nodeName,
  });
}

/**
 * Whether the Service gives the Pod a DNS name of its own: the one that its subdomain names.
 * Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service (hostname and subdomain).
 */
function hasNameOf({ metadata }: Live<Service>, { spec }: Live<Pod>): boolean {
  return spec.hostname !== '' && spec.subdomain === metadata.name;
}

function resolvePorts({ spec }: Live<Service>, pod: Live<Pod>): readonly EndpointPort[] {
  return spec.ports.flatMap((port) => {
    const number = targetPort(port, pod);
    return number === undefined ? [] : [{ name: port.name, protocol: port.protocol ?? 'TCP', port: number }];
  });
}

function targetPort({ targetPort: target, port, protocol = 'TCP' }: ServicePort, pod: Live<Pod>): number | undefined {
  if (typeof target === 'number' && target !== 0) return target;
  if (typeof target !== 'string' || target === '') return port;
  const ports = pod.spec.containers.flatMap((container) => container.ports);
  return ports.find((candidate) => candidate.name === target && (candidate.protocol ?? 'TCP') === protocol)
    ?.containerPort;
}
