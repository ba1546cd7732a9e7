import type { Live } from '@navarch/machinery';
import type { Endpoint, EndpointSlice, Pod, Service, ServicePort } from '@navarch/proto';
import { bucketOwners } from './buckets.ts';

export type Protocol = 'tcp' | 'udp';

/** What one node does with packets to Services, as data. Equal inputs give equal rulesets, in any order of arrival. */
export interface Ruleset {
  /** Where packets to a Service's port go. Only ports with at least one endpoint. */
  readonly balancers: readonly Balancer[];
  /** Service addresses that a balancer serves. */
  readonly clusterIps: readonly {
    readonly ip: string;
    readonly protocol: Protocol;
    readonly port: number;
    readonly balancer: string;
  }[];
  /** Ports of the node's own addresses that a balancer serves. */
  readonly nodePorts: readonly { readonly protocol: Protocol; readonly port: number; readonly balancer: string }[];
  /** Ports of the node's own addresses that belong to a Service without endpoints: refused. */
  readonly refusedPorts: readonly { readonly protocol: Protocol; readonly port: number }[];
  /** Ports of the node's own addresses that belong to one Pod. */
  readonly hostPorts: readonly { readonly protocol: Protocol; readonly port: number; readonly to: Target }[];
}

export interface Balancer {
  /** namespace/service/protocol/port: for people, and unique. */
  readonly name: string;
  readonly protocol: Protocol;
  /** One is drawn for each new connection; with `byClient`, by the client's address. Targets may repeat then. */
  readonly targets: readonly Target[];
  readonly byClient: boolean;
}

export interface Target {
  readonly ip: string;
  readonly port: number;
}

export interface ServiceInputs {
  readonly services: readonly Live<Service>[];
  readonly endpointSlices: readonly Live<EndpointSlice>[];
  /** The node whose rules these are. */
  readonly nodeName: string;
  /** The Pods bound to it: their host ports, and which of them are ending or gone (the slices say so a little later). */
  readonly localPods: readonly Live<Pod>[];
  /** Ports of the node's addresses that no Service may take: the control plane's own. */
  readonly reservedPorts: ReadonlySet<number>;
}

export const serviceNameLabel = 'kubernetes.io/service-name';

/**
 * The packet rules for all Services, as one node needs them. New connections go to endpoints that are ready; when none
 * is, to those that still serve while they end. A load balancer's port is open on each node's own addresses.
 */
export function servicePlan({ services, endpointSlices, nodeName, localPods, reservedPorts }: ServiceInputs): Ruleset {
  const slicesByService = Map.groupBy(endpointSlices, serviceKeyOf);
  const known = localKnowledge(nodeName, localPods);
  const balancers: Balancer[] = [];
  const clusterIps: Ruleset['clusterIps'][number][] = [];
  const nodePorts = new Map<string, { protocol: Protocol; port: number; balancer: string | undefined }>();

  for (const service of sortedByName(services)) {
    if (!hasClusterIp(service)) continue;
    const key = `${service.metadata.namespace}/${service.metadata.name}`;
    const slices = slicesByService.get(key) ?? [];
    for (const port of service.spec.ports) {
      const protocol = protocolOf(port.protocol);
      const name = `${key}/${protocol}/${port.port}`;
      const balancer = balancerOf(name, service, port, slices, known);
      if (balancer !== undefined) {
        balancers.push(balancer);
        clusterIps.push({ ip: service.spec.clusterIp, protocol, port: port.port, balancer: name });
      }
      for (const open of openPorts(service, port)) {
        const id = `${protocol}/${open}`;
        // Of two Services that want one port of the node, the first by name gets it, on every node the same.
        if (reservedPorts.has(open) || nodePorts.has(id)) continue;
        nodePorts.set(id, { protocol, port: open, balancer: balancer === undefined ? undefined : name });
      }
    }
  }
  const open = [...nodePorts.values()];
  return {
    balancers,
    clusterIps,
    nodePorts: open.flatMap(({ protocol, port, balancer }) =>
      balancer === undefined ? [] : [{ protocol, port, balancer }],
    ),
    refusedPorts: open.flatMap(({ protocol, port, balancer }) => (balancer === undefined ? [{ protocol, port }] : [])),
    hostPorts: hostPorts(localPods, nodePorts, reservedPorts),
  };
}

/** Whether new connections may still be sent to `ip`. */
export function sendsTo(ruleset: Ruleset, ip: string): boolean {
  return (
    ruleset.balancers.some(({ targets }) => targets.some((target) => target.ip === ip)) ||
    ruleset.hostPorts.some(({ to }) => to.ip === ip)
  );
}

function balancerOf(
  name: string,
  service: Live<Service>,
  port: ServicePort,
  slices: readonly Live<EndpointSlice>[],
  known: LocalKnowledge,
): Balancer | undefined {
  const ready = new Map<string, Target>();
  const serving = new Map<string, Target>();
  for (const slice of slices) {
    const target = slice.ports.find(
      (candidate) => candidate.name === port.name && protocolOf(candidate.protocol) === protocolOf(port.protocol),
    );
    if (target === undefined) continue;
    for (const endpoint of slice.endpoints) {
      const ip = endpoint.addresses[0];
      if (ip === undefined) continue;
      const id = `${ip}:${target.port}`;
      const state = stateOf(endpoint, known(endpoint));
      if (state === 'ready') ready.set(id, { ip, port: target.port });
      if (state === 'serving') serving.set(id, { ip, port: target.port });
    }
  }
  const chosen = ready.size > 0 ? ready : serving;
  if (chosen.size === 0) return undefined;
  const ids = [...chosen.keys()].toSorted();
  const byClient = service.spec.sessionAffinity === 'ClientIP';
  const order = byClient ? bucketOwners(ids, name) : ids;
  const targets = order.flatMap((id) => chosen.get(id) ?? []);
  return { name, protocol: protocolOf(port.protocol), targets, byClient };
}

/** An absent condition counts as true for ready and serving, as the API says. */
function stateOf({ conditions }: Endpoint, local: LocalState): 'ready' | 'serving' | 'out' {
  if (local === 'gone') return 'out';
  const ready = conditions?.ready ?? true;
  if (ready && local !== 'ending') return 'ready';
  const terminating = conditions?.terminating === true || local === 'ending';
  const serving = conditions?.serving ?? ready;
  return terminating && serving ? 'serving' : 'out';
}

/** What the node itself knows of an endpoint, and a slice may not say yet; undefined when that is nothing. */
type LocalState = 'ending' | 'gone' | undefined;
type LocalKnowledge = (endpoint: Endpoint) => LocalState;

function localKnowledge(nodeName: string, pods: readonly Live<Pod>[]): LocalKnowledge {
  const uids = new Set(pods.map(({ metadata }) => metadata.uid));
  const ending = pods.filter(({ metadata }) => metadata.deletionTimestamp !== '');
  const endingUids = new Set(ending.map(({ metadata }) => metadata.uid));
  const endingAddresses = new Set(ending.filter(({ spec }) => !spec.hostNetwork).map(({ status }) => status.podIp));
  return ({ addresses: [ip = ''], nodeName: at, targetRef }) => {
    // Slices that people write need not name their Pods.
    if (targetRef?.kind !== 'Pod' || targetRef.uid === '') return endingAddresses.has(ip) ? 'ending' : undefined;
    if (endingUids.has(targetRef.uid)) return 'ending';
    return at === nodeName && !uids.has(targetRef.uid) ? 'gone' : undefined;
  };
}

function hostPorts(
  pods: readonly Live<Pod>[],
  taken: ReadonlyMap<string, unknown>,
  reserved: ReadonlySet<number>,
): Ruleset['hostPorts'] {
  const ports = new Map<string, Ruleset['hostPorts'][number]>();
  for (const { spec, status, metadata } of sortedByName(pods)) {
    const over = status.phase === 'Succeeded' || status.phase === 'Failed';
    if (spec.hostNetwork || status.podIp === '' || over || metadata.deletionTimestamp !== '') continue;
    for (const { hostPort, containerPort, protocol: named } of spec.containers.flatMap(
      (container) => container.ports,
    )) {
      const protocol = protocolOf(named);
      const id = `${protocol}/${hostPort}`;
      if (hostPort === 0 || reserved.has(hostPort) || taken.has(id) || ports.has(id)) continue;
      ports.set(id, { protocol, port: hostPort, to: { ip: status.podIp, port: containerPort } });
    }
  }
  return [...ports.values()];
}

function openPorts({ spec }: Live<Service>, port: ServicePort): readonly number[] {
  const nodePort = port.nodePort === 0 ? [] : [port.nodePort];
  if (spec.type === 'LoadBalancer') return [...new Set([port.port, ...nodePort])];
  return spec.type === 'NodePort' ? nodePort : [];
}

function hasClusterIp({ spec }: Live<Service>): boolean {
  return spec.type !== 'ExternalName' && spec.clusterIp !== '' && spec.clusterIp !== 'None';
}

function serviceKeyOf({ metadata }: Live<EndpointSlice>): string {
  return `${metadata.namespace}/${metadata.labels[serviceNameLabel] ?? ''}`;
}

function protocolOf(protocol: string | undefined): Protocol {
  return protocol === 'UDP' ? 'udp' : 'tcp';
}

function sortedByName<T extends Live<Service> | Live<Pod>>(objects: readonly T[]): readonly T[] {
  const key = ({ metadata }: T) => `${metadata.namespace}/${metadata.name}`;
  return objects.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}
