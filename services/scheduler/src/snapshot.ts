import type { Evaluation } from './evaluation.ts';
import { AwareTerms } from './aware-terms.ts';
import { ImageSpread } from './images.ts';
import type { Guest, NodeFacts, NodeInfo } from './node-info.ts';
import { type Counted, PodCounter } from './pod-counter.ts';
import type { Footprint } from './pod-info.ts';
import type { NamespaceLabels, PodClass } from './pod-terms.ts';
import { ChangeLog } from './change-log.ts';
import { Topology } from './topology.ts';

/** More counters and evaluations than this are not kept: those that were not used for longest go. */
const mostKept = 1_024;
/** Nor evaluations that hold more numbers together, of each node one; but some are in the largest clusters. */
const mostJudgements = 1 << 22;
const fewestKept = 16;

interface Node extends NodeInfo {
  facts: NodeFacts;
  place: number;
  readonly requested: Record<string, number>;
  readonly nominal: { cpu: number; memory: number };
  readonly pods: Map<string, Footprint>;
  readonly hostPorts: Map<string, number>;
  /** Its Pods in order of importance; undefined until somebody asks again. */
  guests: readonly Guest[] | undefined;
}

interface Known {
  readonly podClass: PodClass;
  pods: number;
  /** The counters that choose it, as of `version`. */
  counters: readonly PodCounter[];
  version: number;
}

/**
 * The cluster as decisions see it: nodes sorted by name, what their Pods take, and what Pods mean to one another. Every
 * change moves sums on; nothing is counted anew for a decision. What Pods have in common (how a node judges their like, how
 * many Pods a selector chooses in each zone) is remembered here and changes no answer, only how soon it is there.
 */
export class Snapshot {
  /** By name. */
  readonly nodes: readonly NodeInfo[];
  /** How many Pods each node has, by its place in `nodes`. */
  podCounts = new Int32Array(64);
  /** The node that each profile chose last, by schedulerName: where round robin goes on. */
  readonly lastChosen = new Map<string, string>();
  /** How many nodes have a taint that only asks Pods to stay away. */
  softTainted = 0;
  /** Which images there are. */
  readonly images = new ImageSpread();
  readonly #nodes: Node[] = [];
  readonly #placed = new Map<string, { readonly nodeName: string; readonly footprint: Footprint }>();
  /** Pods on nodes that are not there, or not yet. */
  readonly #homeless = new Map<string, Map<string, Footprint>>();
  readonly #namespaces = new Map<string, Readonly<Record<string, string>>>();
  readonly #topologies = new Map<string, Topology>();
  readonly #counters = new Map<string, PodCounter>();
  readonly #classes = new Map<string, Known>();
  readonly #evaluations = new Map<string, Evaluation>();
  /** How many placed Pods have each priority. */
  readonly #priorities = new Map<number, number>();
  readonly #changes = new ChangeLog();
  readonly #terms = new AwareTerms((key) => this.topology(key), this.#namespaces);
  #counterVersion = 0;
  #scratch = new Int32Array(64);
  #scores = new Float64Array(64);

  constructor() {
    this.nodes = this.#nodes;
  }

  get namespaces(): NamespaceLabels {
    return this.#namespaces;
  }

  /** The node and its place in `nodes`, if it is there. */
  find(name: string): number {
    const place = this.#placeOf(name);
    return this.#nodes[place]?.name === name ? place : -1;
  }

  /** What a node is without its Pods. */
  factsOf(name: string): NodeFacts | undefined {
    return this.#nodes[this.find(name)]?.facts;
  }

  /** The place of the node, or of the last before it by name; -1 when there is none. */
  lastBefore(name: string): number {
    const place = this.#placeOf(name);
    return this.#nodes[place]?.name === name ? place : place - 1;
  }

  /** Room for as many places as there are nodes, until it is asked for again. */
  scratch(): Int32Array {
    if (this.#scratch.length < this.#nodes.length) this.#scratch = new Int32Array(2 * this.#nodes.length);
    return this.#scratch;
  }

  /** Room for a score for each of `count` places, and for a sum of scores, until it is asked for again. */
  scoreScratch(count: number): { readonly sum: Float64Array; readonly scores: Float64Array } {
    if (this.#scores.length < 2 * count) this.#scores = new Float64Array(4 * count);
    return { sum: this.#scores.subarray(0, count), scores: this.#scores.subarray(count, 2 * count) };
  }

  /** Adds the node, or brings it up to date. */
  putNode(facts: NodeFacts): void {
    const place = this.#placeOf(facts.name);
    const known = this.#nodes[place];
    if (known?.name === facts.name) {
      this.#withoutPods(known, () => {
        this.#countNode(known, -1);
        Object.assign(known, facts, { facts });
        for (const topology of this.#topologies.values()) topology.relabel(place, facts.labels);
        this.#countNode(known, 1);
      });
      return;
    }
    const node: Node = {
      ...facts,
      facts,
      place,
      requested: {},
      nominal: { cpu: 0, memory: 0 },
      pods: new Map(),
      hostPorts: new Map(),
      guests: undefined,
    };
    this.#insert(node);
    const pods = this.#homeless.get(facts.name);
    this.#homeless.delete(facts.name);
    for (const [key, footprint] of pods ?? []) this.#count(node, key, footprint, 1);
  }

  /** Its Pods are remembered, for the case that it comes back. */
  removeNode(name: string): void {
    const place = this.find(name);
    const node = this.#nodes[place];
    if (node === undefined) return;
    const pods = new Map(node.pods);
    for (const [key, footprint] of pods) this.#count(node, key, footprint, -1);
    if (pods.size > 0) this.#homeless.set(name, pods);
    this.#countNode(node, -1);
    this.#nodes.splice(place, 1);
    for (let at = place; at < this.#nodes.length; at++) this.#moved(at);
    this.podCounts.copyWithin(place, place + 1);
    for (const topology of this.#topologies.values()) topology.remove(place);
    this.#changes.restructured();
  }

  /** Puts a Pod on a node; one of that key that was elsewhere leaves there. */
  place(key: string, nodeName: string, footprint: Footprint): void {
    this.take(key);
    this.#placed.set(key, { nodeName, footprint });
    const node = this.#nodes[this.find(nodeName)];
    if (node) this.#count(node, key, footprint, 1);
    else {
      const homeless = this.#homeless.get(nodeName) ?? new Map<string, Footprint>();
      this.#homeless.set(nodeName, homeless.set(key, footprint));
    }
  }

  /** Takes a Pod from its node. False when it had none. */
  take(key: string): boolean {
    const placed = this.#placed.get(key);
    if (placed === undefined) return false;
    const { nodeName, footprint } = placed;
    this.#placed.delete(key);
    const node = this.#nodes[this.find(nodeName)];
    if (node) this.#count(node, key, footprint, -1);
    else {
      const homeless = this.#homeless.get(nodeName);
      homeless?.delete(key);
      if (homeless?.size === 0) this.#homeless.delete(nodeName);
    }
    return true;
  }

  /** Where a Pod is, and what it takes there. */
  placed(key: string): { readonly nodeName: string; readonly footprint: Footprint } | undefined {
    return this.#placed.get(key);
  }

  /** Whether there is a Pod on a node that is less important than that. */
  hasLesser(priority: number): boolean {
    for (const each of this.#priorities.keys()) if (each < priority) return true;
    return false;
  }

  /** The Pods of the node at `place`: the more important first, and of equals the older. */
  guests(place: number): readonly Guest[] {
    const node = this.#nodes[place];
    if (node === undefined) return [];
    node.guests ??= [...node.pods].sort(([, one], [, other]) => {
      return other.priority - one.priority || (one.since < other.since ? -1 : one.since > other.since ? 1 : 0);
    });
    return node.guests;
  }

  /** A namespace's labels; undefined when it is gone. */
  setNamespace(name: string, labels: Readonly<Record<string, string>> | undefined): void {
    if (labels) this.#namespaces.set(name, labels);
    else this.#namespaces.delete(name);
    this.#terms.namespacesChanged();
    for (const [key, { counted }] of this.#counters) if (counted.byNamespaceLabels) this.#counters.delete(key);
    this.#counterVersion++;
  }

  /** What Pods that are placed demand and wish of those that come after them. */
  get terms(): AwareTerms {
    return this.#terms;
  }

  /** The values of a label of the nodes. */
  topology(key: string): Topology {
    let topology = this.#topologies.get(key);
    if (topology === undefined) {
      topology = new Topology(key);
      this.#topologies.set(key, topology);
      for (const { place, labels } of this.#nodes) topology.insert(place, labels);
    }
    return topology;
  }

  /** How many of the chosen Pods there are. */
  counter(counted: Counted): PodCounter {
    let counter = this.#counters.get(counted.key);
    if (counter === undefined) {
      counter = new PodCounter(counted, this.topology(counted.topologyKey));
      this.#countAll(counter);
      this.#counterVersion++;
    } else this.#counters.delete(counted.key);
    keep(this.#counters, counted.key, counter, mostKept);
    return counter;
  }

  /** How each node by itself judges Pods of a shape. `key` is equal for equal ones; one is made where it is new. */
  evaluation(key: string, make: () => Evaluation): Evaluation {
    const evaluation = this.#evaluations.get(key) ?? make();
    this.#evaluations.delete(key);
    const affordable = Math.floor(mostJudgements / (this.#nodes.length + 1));
    keep(this.#evaluations, key, evaluation, Math.max(fewestKept, Math.min(mostKept, affordable)));
    evaluation.refresh(this.#nodes, this.#changes);
    return evaluation;
  }

  /** A snapshot that later changes of this one don't touch. */
  copy(): Snapshot {
    const copy = new Snapshot();
    for (const { facts } of this.#nodes) copy.putNode(facts);
    for (const [key, { nodeName, footprint }] of this.#placed) copy.place(key, nodeName, footprint);
    for (const [name, labels] of this.#namespaces) copy.#namespaces.set(name, labels);
    for (const [profile, name] of this.lastChosen) copy.lastChosen.set(profile, name);
    return copy;
  }

  /** A Pod comes to a node (by = 1) or leaves it (by = -1). */
  #count(node: Node, key: string, footprint: Footprint, by: 1 | -1): void {
    const { requests, hostPorts, podClass } = footprint;
    if (by === 1) node.pods.set(key, footprint);
    else node.pods.delete(key);
    node.guests = undefined;
    for (const resource in requests) {
      node.requested[resource] = (node.requested[resource] ?? 0) + by * (requests[resource] ?? 0);
    }
    node.nominal.cpu += by * footprint.nominal.cpu;
    node.nominal.memory += by * footprint.nominal.memory;
    for (const port of hostPorts) {
      const count = (node.hostPorts.get(port) ?? 0) + by;
      if (count > 0) node.hostPorts.set(port, count);
      else node.hostPorts.delete(port);
    }
    this.podCounts[node.place] = node.pods.size;
    const equals = (this.#priorities.get(footprint.priority) ?? 0) + by;
    if (equals === 0) this.#priorities.delete(footprint.priority);
    else this.#priorities.set(footprint.priority, equals);
    for (const counter of this.#countersOf(podClass, by)) counter.countPod(node, node.place, by);
    this.#terms.count(footprint, node.place, by);
    this.#changes.changed(node.place);
  }

  /** The counters that choose the class, of which there is a Pod more or less now. */
  #countersOf(podClass: PodClass, by: 1 | -1): readonly PodCounter[] {
    let known = this.#classes.get(podClass.key);
    if (known === undefined) {
      known = { podClass, pods: 0, counters: [], version: -1 };
      this.#classes.set(podClass.key, known);
    }
    known.pods += by;
    if (known.pods === 0) this.#classes.delete(podClass.key);
    if (known.version !== this.#counterVersion) {
      known.counters = [...this.#counters.values()].filter(({ counted }) => counted.chooses(podClass));
      known.version = this.#counterVersion;
    }
    return known.counters;
  }

  #countAll(counter: PodCounter): void {
    const chosen = new Map<string, boolean>();
    for (const [key, { podClass }] of this.#classes) chosen.set(key, counter.counted.chooses(podClass));
    for (const node of this.#nodes) {
      counter.countNode(node, node.place, 1);
      for (const { podClass } of node.pods.values()) {
        if (chosen.get(podClass.key)) counter.countPod(node, node.place, 1);
      }
    }
  }

  #countNode(node: Node, by: 1 | -1): void {
    for (const counter of this.#counters.values()) counter.countNode(node, node.place, by);
    this.images.count(node.images, by);
    if (node.taints.some(({ effect }) => effect === 'PreferNoSchedule')) this.softTainted += by;
  }

  #withoutPods(node: Node, change: () => void): void {
    const pods = [...node.pods];
    for (const [key, footprint] of pods) this.#count(node, key, footprint, -1);
    change();
    for (const [key, footprint] of pods) this.#count(node, key, footprint, 1);
    this.#changes.changed(node.place);
  }

  #insert(node: Node): void {
    const { place } = node;
    this.#nodes.splice(place, 0, node);
    if (this.#nodes.length > this.podCounts.length) {
      this.podCounts = larger(this.podCounts, new Int32Array(2 * this.podCounts.length));
    }
    this.podCounts.copyWithin(place + 1, place);
    this.podCounts[place] = 0;
    for (let at = place + 1; at < this.#nodes.length; at++) this.#moved(at);
    for (const topology of this.#topologies.values()) topology.insert(place, node.labels);
    this.#countNode(node, 1);
    this.#changes.restructured();
  }

  #moved(place: number): void {
    const node = this.#nodes[place];
    if (node) node.place = place;
  }

  /** Where the node is, or belongs. */
  #placeOf(name: string): number {
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

/** Puts the entry last, and drops the first ones while there are more than `most`. */
function keep<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= most) return;
    map.delete(oldest);
  }
}

function larger<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
