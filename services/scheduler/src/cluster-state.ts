import type { Change } from '@navarch/client';
import { isSameTaint } from '@navarch/kinds';
import { keyOf } from '@navarch/machinery';
import type { Node, PersistentVolumeClaim, Pod } from '@navarch/proto';
import { Claims } from './claims.ts';
import type { ClusterEvent } from './filters.ts';
import {
  type Footprint,
  footprint,
  type NodeInfo,
  type PodInfo,
  type Snapshot,
  takesRoom,
  toNodeInfo,
  withoutPod,
  withPod,
} from './snapshot.ts';

interface Placed {
  readonly uid: string;
  readonly generation: number;
  readonly nodeName: string;
  readonly footprint: Footprint;
  /** Decided here, and not yet seen in the cache. */
  readonly assumed: boolean;
}

/**
 * The cluster as scheduling sees it, moved on by each change: the nodes with what their Pods take, including Pods whose
 * binding was decided but is not in the caches yet.
 */
export class ClusterState {
  readonly #placed = new Map<string, Placed>();
  readonly #podsByNode = new Map<string, Map<string, Footprint>>();
  readonly #lastChosen = new Map<string, string>();
  readonly #claims = new Claims();
  /** Sorted by name. Replaced, never changed, once a snapshot has it. */
  #nodes: NodeInfo[] = [];
  #lent = false;

  /** The cluster as it is now. Costs nothing where nothing changed since the last one. */
  snapshot(): Snapshot {
    this.#lent = true;
    return { nodes: this.#nodes, lastChosen: new Map(this.#lastChosen) };
  }

  /** Moves on by a change of a Node; tells what it may have made possible. */
  onNode(change: Change<Node>): readonly ClusterEvent[] {
    const { name } = change.object.metadata;
    const before = this.#node(name);
    if (change.type === 'deleted') {
      if (before) this.#ownNodes().splice(this.#indexOf(name), 1);
      return [];
    }
    const bare = toNodeInfo(change.object);
    let after: NodeInfo = bare;
    for (const pod of this.#podsByNode.get(name)?.values() ?? []) after = withPod(after, pod);
    this.#ownNodes().splice(this.#indexOf(name), before ? 1 : 0, after);
    return before ? eventsOf(before, after) : ['node-added'];
  }

  /** Moves on by a change of a Pod; tells what it may have made possible. */
  onPod(change: Change<Pod>): readonly ClusterEvent[] {
    const pod = change.object;
    const { nodeName } = pod.spec;
    const { uid, generation } = pod.metadata;
    const key = keyOf(pod);
    const before = this.#placed.get(key);
    if (change.type === 'deleted' || !takesRoom(pod)) return this.#take(key);
    // While the cache doesn't show the binding yet, the decision counts; but one for another Pod of that name is void.
    if (nodeName === '') return before && before.uid !== uid ? this.#take(key) : [];
    const same = before?.uid === uid && before.nodeName === nodeName && before.generation === generation;
    if (same && !before.assumed) return [];
    const freed = this.#take(key);
    this.#put(key, { uid, generation, nodeName, footprint: footprint(pod), assumed: false });
    return before !== undefined && before.nodeName !== nodeName ? freed : [];
  }

  /** Moves on by a change of a claim; tells what it may have made possible. */
  onClaim(change: Change<PersistentVolumeClaim>): readonly ClusterEvent[] {
    return this.#claims.onClaim(change);
  }

  /** The Pod with what is known of its claims now. */
  withClaims(pod: PodInfo): PodInfo {
    return pod.claimKeys.length === 0 ? pod : { ...pod, claims: this.#claims.of(pod) };
  }

  /** The Pod's claims that have to be settled on its node when it is bound: `namespace/name`. */
  unsettledClaims({ claimKeys }: PodInfo): readonly string[] {
    return this.#claims.unsettled(claimKeys);
  }

  /** Sets the Pod's room on the node aside: the decision to put it there counts from now on. */
  assume(pod: PodInfo, nodeName: string): void {
    this.#take(pod.key);
    const { requests, hostPorts, claimKeys, uid } = pod;
    const { generation } = pod.pod.metadata;
    this.#claims.assume(claimKeys, nodeName);
    this.#put(pod.key, { uid, generation, nodeName, footprint: { requests, hostPorts, claimKeys }, assumed: true });
    this.#lastChosen.set(pod.schedulerName, nodeName);
  }

  /** Whether the Pod's node was decided and the caches don't show it yet. */
  assumes({ key, uid }: PodInfo): boolean {
    const placed = this.#placed.get(key);
    return placed?.uid === uid && placed.assumed;
  }

  /** The decision came to nothing. Does nothing when the caches have shown the binding meanwhile. */
  forget(pod: PodInfo): readonly ClusterEvent[] {
    const placed = this.#placed.get(pod.key);
    if (!placed?.assumed || placed.uid !== pod.uid) return [];
    this.#claims.forget(pod.claimKeys);
    return this.#take(pod.key);
  }

  #put(key: string, placed: Placed): void {
    const { nodeName, footprint } = placed;
    this.#placed.set(key, placed);
    const pods = this.#podsByNode.get(nodeName);
    if (pods) pods.set(key, footprint);
    else this.#podsByNode.set(nodeName, new Map([[key, footprint]]));
    this.#claims.taken(key, footprint.claimKeys);
    this.#update(nodeName, (node) => withPod(node, footprint));
  }

  #take(key: string): readonly ClusterEvent[] {
    const placed = this.#placed.get(key);
    if (placed === undefined) return [];
    const { nodeName, footprint } = placed;
    this.#placed.delete(key);
    const pods = this.#podsByNode.get(nodeName);
    pods?.delete(key);
    if (pods?.size === 0) this.#podsByNode.delete(nodeName);
    this.#claims.left(key, footprint.claimKeys);
    this.#update(nodeName, (node) => withoutPod(node, footprint));
    return ['pod-left'];
  }

  #update(nodeName: string, change: (node: NodeInfo) => NodeInfo): void {
    const node = this.#node(nodeName);
    if (node) this.#ownNodes()[this.#indexOf(nodeName)] = change(node);
  }

  #ownNodes(): NodeInfo[] {
    if (this.#lent) this.#nodes = [...this.#nodes];
    this.#lent = false;
    return this.#nodes;
  }

  #node(name: string): NodeInfo | undefined {
    const node = this.#nodes[this.#indexOf(name)];
    return node?.name === name ? node : undefined;
  }

  /** Where the node is, or belongs. */
  #indexOf(name: string): number {
    let low = 0;
    let high = this.#nodes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#nodes[middle]?.name ?? '') < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function eventsOf(before: NodeInfo, after: NodeInfo): readonly ClusterEvent[] {
  const events: ClusterEvent[] = [];
  const grew = Object.entries(after.allocatable).some(([name, amount]) => amount > (before.allocatable[name] ?? 0));
  if (grew) events.push('node-grew');
  if (!sameLabels(before.labels, after.labels)) events.push('node-labelled');
  if (after.ready && !before.ready) events.push('node-became-ready');
  if (!after.unschedulable && before.unschedulable) events.push('node-became-schedulable');
  if (
    !before.taints.every((taint) => after.taints.some((each) => isSameTaint(each, taint) && each.value === taint.value))
  )
    events.push('node-untainted');
  return events;
}

function sameLabels(one: NodeInfo['labels'], other: NodeInfo['labels']): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
