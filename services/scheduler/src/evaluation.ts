import { BestPlaces } from './best-places.ts';
import type { ChangeLog, Moment } from './change-log.ts';
import { type Rejection, Tally } from './explain.ts';
import type { NodeInfo } from './node-info.ts';

/** What a node by itself is worth to a Pod, more being better; or why it can't have it. */
export type Judge = (node: NodeInfo) => number | Rejection;

/** So many changed nodes are looked at one by one; of more it is quicker to compare all again. */
const fewChanges = 64;

/** What every node is worth to Pods of one shape. Only nodes that have changed are judged again. */
export class Evaluation {
  /** By the node's place; -Infinity where the node can't have the Pod. */
  worth = new Float64Array(64);
  /** Why nodes can't have the Pod, counted. */
  tally = new Tally();
  /** The nodes that are worth most; of these, those with the fewest Pods, or the most. */
  readonly best = new BestPlaces();
  readonly #judge: Judge;
  readonly #sign: number;
  #rejections: (Rejection | undefined)[] = [];
  #nodes: readonly NodeInfo[] = [];
  #seen: Moment | undefined;

  /** Among equals nodes with fewer Pods are better (`sign` is -1), those with more (1), or neither (0). */
  constructor(judge: Judge, sign: number) {
    this.#judge = judge;
    this.#sign = sign;
  }

  /** How many nodes can have the Pod. */
  get able(): number {
    return this.#nodes.length - this.tally.nodes;
  }

  refresh(nodes: readonly NodeInfo[], changes: ChangeLog): void {
    this.#nodes = nodes;
    const seen = this.#seen;
    this.#seen = changes.now;
    if (seen !== undefined) {
      const few = this.#seen.count - seen.count <= fewChanges;
      const known = changes.since(seen, (place) => {
        this.#look(place);
        if (few) this.best.update(place);
      });
      if (known && !few) this.best.build();
      if (known) return;
    }
    if (nodes.length > this.worth.length) this.worth = new Float64Array(2 * nodes.length);
    this.#rejections = [];
    this.tally = new Tally();
    this.best.reset(nodes.length);
    for (let place = 0; place < nodes.length; place++) this.#look(place);
    this.best.build();
  }

  #look(place: number): void {
    const node = this.#nodes[place];
    if (node === undefined) return;
    const before = this.#rejections[place];
    const verdict = this.#judge(node);
    const rejection = typeof verdict === 'number' ? undefined : verdict;
    const worth = typeof verdict === 'number' ? verdict : Number.NEGATIVE_INFINITY;
    this.worth[place] = worth;
    this.best.put(place, worth, this.#sign === 0 ? 0 : this.#sign * node.pods.size);
    this.#rejections[place] = rejection;
    if (before !== undefined) this.tally.count(before, -1);
    if (rejection !== undefined) this.tally.count(rejection, 1);
  }
}
