import { namedNodes, requiredTerms } from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import type { Node, NodeSelectorTerm, Pod, Taint, Toleration } from '@navarch/proto';
import { type ClaimInfo, claimKeys } from './claims.ts';
import { allocatable, minus, plus, podRequests, type Resources } from './resources.ts';

/** What a Pod takes of its node. */
export interface Footprint {
  readonly requests: Resources;
  /** Ports that it opens on the node itself: `TCP/80`. */
  readonly hostPorts: readonly string[];
  /** The claims that it mounts: `namespace/name`. */
  readonly claimKeys: readonly string[];
}

/** What scheduling must know of a Pod that has no node, read out of it once. */
export interface PodInfo extends Footprint {
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  readonly pod: Live<Pod>;
  readonly schedulerName: string;
  /** The requests that are not 0, as a list: it is walked for each node. */
  readonly needs: readonly Need[];
  readonly nodeSelector: readonly (readonly [label: string, value: string])[];
  readonly tolerations: readonly Toleration[];
  /** What it requires of its node: one of these; nothing when undefined. */
  readonly terms: readonly NodeSelectorTerm[] | undefined;
  /** The only nodes that `terms` can choose; undefined when they don't go by names. */
  readonly namedNodes: ReadonlySet<string> | undefined;
  /** What is known of its claims at the time of the decision. */
  readonly claims: readonly ClaimInfo[];
}

export interface Need {
  readonly resource: string;
  readonly amount: number;
}

/** What scheduling must know of a node, with what its Pods take. */
export interface NodeInfo {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ready: boolean;
  readonly unschedulable: boolean;
  readonly taints: readonly Taint[];
  /** How much the node is preferred: its annotation `scheduling.navarch.io/weight`. */
  readonly weight: number;
  readonly allocatable: Resources;
  /** What the Pods that are bound to the node request. */
  readonly requested: Resources;
  readonly pods: number;
  /** How many Pods have each port; no more than one, unless somebody bypassed the scheduler. */
  readonly hostPorts: ReadonlyMap<string, number>;
}

/** A picture of the cluster that no later change touches. */
export interface Snapshot {
  /** By name. */
  readonly nodes: readonly NodeInfo[];
  /** The node that each profile chose last, by schedulerName: where round robin goes on. */
  readonly lastChosen: ReadonlyMap<string, string>;
}

/** Kubernetes has no such annotation; ours is design.md's. */
export const weightAnnotation = 'scheduling.navarch.io/weight';

export function toPodInfo(pod: Live<Pod>): PodInfo {
  const print = footprint(pod);
  const terms = requiredTerms(pod.spec.affinity);
  return {
    key: keyOf(pod),
    uid: pod.metadata.uid,
    pod,
    schedulerName: pod.spec.schedulerName || 'default-scheduler',
    needs: Object.entries(print.requests)
      .filter(([, amount]) => amount > 0)
      .map(([resource, amount]) => ({ resource, amount })),
    nodeSelector: Object.entries(pod.spec.nodeSelector),
    tolerations: pod.spec.tolerations,
    terms,
    namedNodes: terms && namedNodes(terms),
    claims: [],
    ...print,
  };
}

export function footprint(pod: Live<Pod>): Footprint {
  return { requests: podRequests(pod), hostPorts: hostPorts(pod), claimKeys: claimKeys(pod) };
}

/** A node without Pods. */
export function toNodeInfo(node: Live<Node>): NodeInfo {
  const { name, labels, annotations } = node.metadata;
  return {
    name,
    labels,
    ready: node.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    unschedulable: node.spec.unschedulable || node.metadata.deletionTimestamp !== '',
    taints: node.spec.taints,
    weight: weight(annotations[weightAnnotation]),
    allocatable: allocatable(node),
    requested: {},
    pods: 0,
    hostPorts: new Map(),
  };
}

export function withPod(node: NodeInfo, pod: Footprint): NodeInfo {
  return {
    ...node,
    requested: plus(node.requested, pod.requests),
    pods: node.pods + 1,
    hostPorts: countPorts(node.hostPorts, pod.hostPorts, 1),
  };
}

export function withoutPod(node: NodeInfo, pod: Footprint): NodeInfo {
  return {
    ...node,
    requested: minus(node.requested, pod.requests),
    pods: node.pods - 1,
    hostPorts: countPorts(node.hostPorts, pod.hostPorts, -1),
  };
}

/** What a node has left of a resource. */
export function available(node: NodeInfo, resource: string): number {
  return (node.allocatable[resource] ?? 0) - (node.requested[resource] ?? 0);
}

/** Whether a Pod takes room on its node: until its containers have ended for good. */
export function takesRoom({ status }: Pick<Pod, 'status'>): boolean {
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

function hostPorts({ spec }: Live<Pod>): readonly string[] {
  return spec.containers.flatMap(({ ports }) =>
    ports.flatMap(({ hostPort, containerPort, protocol }) => {
      const port = spec.hostNetwork ? hostPort || containerPort : hostPort;
      return port === 0 ? [] : [`${protocol ?? 'TCP'}/${port}`];
    }),
  );
}

function countPorts(counts: ReadonlyMap<string, number>, ports: readonly string[], by: number) {
  if (ports.length === 0) return counts;
  const next = new Map(counts);
  for (const port of ports) {
    const count = (next.get(port) ?? 0) + by;
    if (count > 0) next.set(port, count);
    else next.delete(port);
  }
  return next;
}

function weight(text: string | undefined): number {
  const value = text === undefined || text.trim() === '' ? 1 : Number(text);
  // What is no weight must not keep Pods from being placed.
  return Number.isFinite(value) && value >= 0 ? value : 1;
}
