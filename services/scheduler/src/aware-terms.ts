import type { Footprint } from './pod-info.ts';
import type { LikedPods, NamespaceLabels, PodClass, PodTerm } from './pod-terms.ts';
import { DomainCounts, type Topology } from './topology.ts';

/** Where Pods are that have something to say about Pods that come after them. */
export interface Aware {
  readonly term: PodTerm;
  /** How much each of them likes the Pods that the term chooses; undefined where it can't bear them. */
  readonly weight: number | undefined;
  /** How many such Pods are at each value of the term's label. */
  readonly pods: DomainCounts;
}

/** Remembered answers; more classes of Pods than that are asked about anew. */
const mostAnswers = 4_096;

/**
 * The terms of Pods that are placed: whom they repel (required anti-affinity counts both ways), and whom they draw or would
 * rather not have near.
 */
export class AwareTerms {
  readonly #topology: (key: string) => Topology;
  readonly #namespaces: NamespaceLabels;
  readonly #aware = new Map<string, Aware & { holders: number }>();
  readonly #answers = new Map<string, readonly Aware[]>();

  constructor(topology: (key: string) => Topology, namespaces: NamespaceLabels) {
    this.#topology = topology;
    this.#namespaces = namespaces;
  }

  /** A Pod with these terms came to the node at `place`, or left it. */
  count({ repels, draws }: Pick<Footprint, 'repels' | 'draws'>, place: number, by: 1 | -1): void {
    for (const term of repels) this.#count(term, undefined, place, by);
    for (const { term, weight } of draws) this.#count(term, weight, place, by);
  }

  /** What is to be heeded where a Pod of this class is placed. */
  about(podClass: PodClass): readonly Aware[] {
    if (this.#aware.size === 0) return [];
    const known = this.#answers.get(podClass.key);
    if (known !== undefined) return known;
    const answer = [...this.#aware.values()].filter(({ term }) => term.chooses(podClass, this.#namespaces));
    if (this.#answers.size >= mostAnswers) this.#answers.clear();
    this.#answers.set(podClass.key, answer);
    return answer;
  }

  namespacesChanged(): void {
    this.#answers.clear();
  }

  #count(term: PodTerm, weight: LikedPods['weight'] | undefined, place: number, by: 1 | -1): void {
    const key = `${weight ?? 'never'} ${term.key}`;
    let aware = this.#aware.get(key);
    if (aware === undefined) {
      aware = { term, weight, pods: new DomainCounts(this.#topology(term.topologyKey)), holders: 0 };
      this.#aware.set(key, aware);
      this.#answers.clear();
    }
    aware.pods.add(place, by);
    aware.holders += by;
    if (aware.holders === 0) {
      this.#aware.delete(key);
      this.#answers.clear();
    }
  }
}
