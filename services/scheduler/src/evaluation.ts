import type { ChangeLog, Moment } from './change-log.ts';
import { type Rejection, Tally } from './explain.ts';
import type { NodeInfo } from './node-info.ts';

/** What a node by itself is worth to a Pod, more being better; or why it can't have it. */
export type Judge = (node: NodeInfo) => number | Rejection;

/** What every node is worth to Pods of one shape. Only nodes that have changed are judged again. */
export class Evaluation {
  /** By the node's place; -Infinity where the node can't have the Pod. */
  worth = new Float64Array(64);
  /** Why nodes can't have the Pod, counted. */
  tally = new Tally();
  readonly #judge: Judge;
  #rejections: (Rejection | undefined)[] = [];
  #nodes: readonly NodeInfo[] = [];
  #seen: Moment | undefined;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  refresh(nodes: readonly NodeInfo[], changes: ChangeLog): void {
    this.#nodes = nodes;
    const seen = this.#seen;
    this.#seen = changes.now;
    if (seen !== undefined && changes.since(seen, (place) => this.#look(place))) return;
    if (nodes.length > this.worth.length) this.worth = new Float64Array(2 * nodes.length);
    this.#rejections = [];
    this.tally = new Tally();
    for (let place = 0; place < nodes.length; place++) this.#look(place);
  }

  #look(place: number): void {
    const node = this.#nodes[place];
    if (node === undefined) return;
    const before = this.#rejections[place];
    const verdict = this.#judge(node);
    const rejection = typeof verdict === 'number' ? undefined : verdict;
    this.worth[place] = typeof verdict === 'number' ? verdict : Number.NEGATIVE_INFINITY;
    this.#rejections[place] = rejection;
    if (before !== undefined) this.tally.count(before, -1);
    if (rejection !== undefined) this.tally.count(rejection, 1);
  }
}
