/** Why a node can't have a Pod. */
export interface Rejection {
  readonly filter: string;
  readonly reasons: readonly string[];
}

/** Rejections, counted. */
export class Tally {
  readonly #reasons = new Map<string, number>();
  readonly #filters = new Map<string, number>();
  #nodes = 0;

  count({ filter, reasons }: Rejection, by: number): void {
    this.#nodes += by;
    add(this.#filters, filter, by);
    for (const reason of reasons) add(this.#reasons, reason, by);
  }

  /** How many nodes there are. */
  get nodes(): number {
    return this.#nodes;
  }

  /** The same counts, to go on from. */
  copy(): Tally {
    const copy = new Tally();
    copy.#nodes = this.#nodes;
    for (const [filter, count] of this.#filters) copy.#filters.set(filter, count);
    for (const [reason, count] of this.#reasons) copy.#reasons.set(reason, count);
    return copy;
  }

  /** The filters that rejected a node. */
  get filters(): ReadonlySet<string> {
    return new Set(this.#filters.keys());
  }

  /** The sentence that users know: how many nodes there are for each reason, the most frequent first. */
  toString(): string {
    if (this.#nodes === 0) return 'no nodes available to schedule pods';
    const parts = [...this.#reasons]
      .sort(([one, ones], [other, others]) => others - ones || (one < other ? -1 : 1))
      .map(([reason, count]) => `${count} ${reason}`);
    return `0/${this.#nodes} nodes are available: ${parts.join(', ')}.`;
  }
}

function add(counts: Map<string, number>, name: string, by: number): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}
