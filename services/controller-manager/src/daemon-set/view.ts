import { revisionHashLabel } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { DaemonSet, Node, Pod } from '@navarch/proto';
import { availableInMs, isOver } from '../pod-state.ts';
import { type Fit, fitOf, nodeOf } from './placement.ts';

/** A node, and the set's Pods on it or on their way to it. */
export interface NodeView {
  readonly name: string;
  readonly fit: Fit;
  /** Those that are bound first, then the oldest. Also those that are being deleted. */
  readonly pods: readonly Live<Pod>[];
  /** Those that are not being deleted and not over. */
  readonly active: readonly Live<Pod>[];
}

/** All nodes with what the set has there: what the next step is decided from. */
export interface View {
  readonly set: Live<DaemonSet>;
  readonly now: number;
  /** By name. */
  readonly nodes: readonly NodeView[];
  /** Pods that wait for a node that is not there. */
  readonly lost: readonly Live<Pod>[];
  /** Of today's template. */
  readonly hash: string;
}

export function viewOf(
  set: Live<DaemonSet>,
  { nodes, pods, hash }: { nodes: readonly Live<Node>[]; pods: readonly Live<Pod>[]; hash: string },
  now: number,
): View {
  const fit = fitOf(set);
  const byNode = Map.groupBy(pods, nodeOf);
  const views = nodes.map((node): NodeView => {
    const { name } = node.metadata;
    // What has ended and is on its way out of the store is nobody's concern any more.
    const present = (byNode.get(name) ?? []).filter((pod) => !(isGoing(pod) && isOver(pod.status.phase)));
    const sorted = present.length > 1 ? present.toSorted(boundFirst) : present;
    const active = sorted.filter((pod) => !isGoing(pod) && !isOver(pod.status.phase));
    return { name, fit: fit(node), pods: sorted, active };
  });
  const known = new Set(nodes.map(({ metadata }) => metadata.name));
  const lost = pods.filter((pod) => {
    const name = nodeOf(pod);
    return pod.spec.nodeName === '' && !isGoing(pod) && name !== undefined && !known.has(name);
  });
  return { set, now, nodes: views.toSorted((a, b) => (a.name < b.name ? -1 : 1)), lost, hash };
}

export function isGoing({ metadata }: Live<Pod>): boolean {
  return metadata.deletionTimestamp !== '';
}

export function isUpdated({ hash }: View, { metadata }: Live<Pod>): boolean {
  return metadata.labels[revisionHashLabel] === hash;
}

/** Milliseconds until the Pod counts as available: 0 when it does, undefined when it isn't ready. */
export function availableIn({ set, now }: View, pod: Live<Pod>): number | undefined {
  return availableInMs(pod, set.spec.minReadySeconds, now);
}

export function isAvailable(view: View, pod: Live<Pod>): boolean {
  return availableIn(view, pod) === 0;
}

function boundFirst(a: Live<Pod>, b: Live<Pod>): number {
  const key = ({ metadata, spec }: Live<Pod>) =>
    `${spec.nodeName === '' ? 1 : 0} ${metadata.creationTimestamp} ${metadata.name}`;
  return key(a) < key(b) ? -1 : 1;
}
