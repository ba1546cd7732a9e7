import type { Change } from '@navarch/client';
import { isSameTaint, takesRoom } from '@navarch/kinds';
import { keyOf, labelSelectorPredicate } from '@navarch/machinery';
import type { Namespace, Node, PersistentVolumeClaim, Pod, PodDisruptionBudget } from '@navarch/proto';
import { Claims } from './claims.ts';
import type { Budget } from './preemption.ts';
import type { ClusterEvent } from './filters.ts';
import { type NodeFacts, nodeFacts } from './node-info.ts';
import { type Footprint, footprint, footprintOf, type PodInfo } from './pod-info.ts';
import { Snapshot } from './snapshot.ts';

interface Placed {
  readonly uid: string;
  readonly generation: number;
  readonly nodeName: string;
  readonly claimKeys: readonly string[];
  /** Its labels and namespace, by which other Pods choose it. */
  readonly class: string;
  /** Decided here, and not yet seen in the cache. */
  readonly assumed: boolean;
}

/**
 * The cluster as scheduling sees it, moved on by each change: the nodes with what their Pods take, including Pods whose
 * binding was decided but is not in the caches yet.
 */
export class ClusterState {
  /** The cluster as it is now. It moves on with the state; who needs it to stand still copies it. */
  readonly snapshot = new Snapshot();
  readonly #placed = new Map<string, Placed>();
  readonly #claims = new Claims();
  /** The Pods that room is being made for, by key. */
  readonly #nominated = new Map<string, { readonly uid: string; readonly nodeName: string }>();
  readonly #budgets = new Map<string, Budget>();

  /** Moves on by a change of a Node; tells what it may have made possible. */
  onNode(change: Change<Node>): readonly ClusterEvent[] {
    const { name } = change.object.metadata;
    if (change.type === 'deleted') {
      this.snapshot.removeNode(name);
      return [];
    }
    const before = this.snapshot.nodes[this.snapshot.find(name)];
    const after = nodeFacts(change.object);
    const events: readonly ClusterEvent[] = before ? eventsOf(before, after) : ['node-added'];
    this.snapshot.putNode(after);
    return events;
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
    const print = footprint(pod);
    if (same && before.class === print.podClass.key) {
      if (before.assumed) this.#placed.set(key, { ...before, assumed: false });
      return [];
    }
    const freed = this.#take(key);
    this.#put(key, print, { uid, generation, nodeName, assumed: false });
    return before !== undefined && before.nodeName !== nodeName ? [...freed, 'pod-placed'] : ['pod-placed'];
  }

  /** Moves on by a change of a claim; tells what it may have made possible. */
  onClaim(change: Change<PersistentVolumeClaim>): readonly ClusterEvent[] {
    return this.#claims.onClaim(change);
  }

  /** Moves on by a change of a budget. */
  onBudget({ type, object }: Change<PodDisruptionBudget>): void {
    const key = keyOf(object);
    if (type === 'deleted') this.#budgets.delete(key);
    else {
      const { namespace } = object.metadata;
      const labels = labelSelectorPredicate(object.spec.selector);
      const chooses: Budget['chooses'] = (each) => each.namespace === namespace && labels(each.labels);
      this.#budgets.set(key, { key, chooses, allowed: object.status.disruptionsAllowed });
    }
  }

  get budgets(): readonly Budget[] {
    return [...this.#budgets.values()];
  }

  /** Room on the node is kept for the Pod from now on, though those who have it may take a while to leave. */
  nominate(pod: PodInfo, nodeName: string): void {
    this.#nominated.set(pod.key, { uid: pod.uid, nodeName });
    this.snapshot.place(nomination(pod.key), nodeName, pod);
  }

  /** Where room is kept for the Pod. */
  nominationOf({ key, uid }: PodInfo): string | undefined {
    const nominated = this.#nominated.get(key);
    return nominated?.uid === uid ? nominated.nodeName : undefined;
  }

  /** No room is kept for the Pod any more. */
  dropNomination(key: string): readonly ClusterEvent[] {
    if (!this.#nominated.delete(key)) return [];
    this.snapshot.take(nomination(key));
    return ['pod-left'];
  }

  /** What `decide` gives where the room that is kept for the Pod counts as free. */
  withoutNomination<T>(pod: PodInfo, decide: () => T): T {
    const nodeName = this.nominationOf(pod);
    if (nodeName === undefined) return decide();
    this.snapshot.take(nomination(pod.key));
    try {
      return decide();
    } finally {
      this.snapshot.place(nomination(pod.key), nodeName, pod);
    }
  }

  /** Moves on by a change of a Namespace; tells what it may have made possible. */
  onNamespace({ type, object: { metadata } }: Change<Namespace>): readonly ClusterEvent[] {
    const { name, labels } = metadata;
    if (type === 'modified' && sameLabels(this.snapshot.namespaces.get(name) ?? {}, labels)) return [];
    this.snapshot.setNamespace(name, type === 'deleted' ? undefined : labels);
    return ['pod-placed'];
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
  assume(pod: PodInfo, nodeName: string): readonly ClusterEvent[] {
    this.#take(pod.key);
    this.#claims.assume(pod.claimKeys, nodeName);
    // The binding will be the Pod's next change.
    const generation = pod.pod.metadata.generation + 1;
    this.#put(pod.key, footprintOf(pod), { uid: pod.uid, generation, nodeName, assumed: true });
    this.snapshot.lastChosen.set(pod.schedulerName, nodeName);
    return ['pod-placed'];
  }

  /** Whether the Pod's node was decided and the caches don't show it yet. */
  assumes({ key, uid }: PodInfo): boolean {
    const placed = this.#placed.get(key);
    return placed?.uid === uid && placed.assumed;
  }

  /** The node that was decided for the Pod and that the caches don't show yet; '' without one. */
  assumedNode({ key, uid }: PodInfo): string {
    const placed = this.#placed.get(key);
    return placed?.uid === uid && placed.assumed ? placed.nodeName : '';
  }

  /** The decision came to nothing. Does nothing when the caches have shown the binding meanwhile. */
  forget(pod: PodInfo): readonly ClusterEvent[] {
    const placed = this.#placed.get(pod.key);
    if (!placed?.assumed || placed.uid !== pod.uid) return [];
    this.#claims.forget(pod.claimKeys);
    return this.#take(pod.key);
  }

  #put(key: string, print: Footprint, placed: Omit<Placed, 'claimKeys' | 'class'>): void {
    const { claimKeys, podClass } = print;
    this.#placed.set(key, { ...placed, claimKeys, class: podClass.key });
    this.#claims.taken(key, claimKeys);
    this.snapshot.place(key, placed.nodeName, print);
  }

  #take(key: string): readonly ClusterEvent[] {
    const placed = this.#placed.get(key);
    if (placed === undefined) return [];
    this.#placed.delete(key);
    this.#claims.left(key, placed.claimKeys);
    this.snapshot.take(key);
    return ['pod-left'];
  }
}

/** What stands in the snapshot for a Pod that will come: no Pod has such a key. */
export function nomination(key: string): string {
  return `nominated ${key}`;
}

/** The Pod whose room this is, if it is kept room. */
export function nominee(key: string): string | undefined {
  return key.startsWith('nominated ') ? key.slice('nominated '.length) : undefined;
}

function eventsOf(before: NodeFacts, after: NodeFacts): readonly ClusterEvent[] {
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

function sameLabels(one: NodeFacts['labels'], other: NodeFacts['labels']): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
