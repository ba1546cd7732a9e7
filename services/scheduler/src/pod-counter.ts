import type { NodeFacts } from './node-info.ts';
import type { PodClass } from './pod-terms.ts';
import { DomainCounts, type Topology } from './topology.ts';

/** Some of the nodes, by what they are. */
export interface NodeSet {
  /** Equal for sets of the same nodes. */
  readonly key: string;
  readonly has: (node: NodeFacts) => boolean;
}

export const everyNode: NodeSet = { key: '', has: () => true };

/** Which Pods on which nodes are counted, by the values of which label. */
export interface Counted {
  /** Equal for what counts the same. */
  readonly key: string;
  readonly topologyKey: string;
  readonly nodes: NodeSet;
  readonly chooses: (podClass: PodClass) => boolean;
  readonly byNamespaceLabels: boolean;
}

/** How many Pods of a choice there are at each value of a label, and how many nodes; kept up to date by the snapshot. */
export class PodCounter {
  readonly counted: Counted;
  readonly pods: DomainCounts;
  readonly nodes: DomainCounts;

  constructor(counted: Counted, topology: Topology) {
    this.counted = counted;
    this.pods = new DomainCounts(topology);
    this.nodes = new DomainCounts(topology);
  }

  get topology(): Topology {
    return this.pods.topology;
  }

  /** A Pod that is chosen came to a node or left it. */
  countPod(node: NodeFacts, place: number, by: number): void {
    if (this.counted.nodes.has(node)) this.pods.add(place, by);
  }

  countNode(node: NodeFacts, place: number, by: number): void {
    if (this.counted.nodes.has(node)) this.nodes.add(place, by);
  }
}
