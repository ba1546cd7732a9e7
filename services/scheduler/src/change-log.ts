/** So many changes are remembered one by one; who has missed more looks at every node. */
const remembered = 4_096;

/** Which nodes have changed, by their places, for those who keep something for each node. */
export class ChangeLog {
  readonly #places = new Int32Array(remembered);
  #count = 0;
  #structure = 0;

  /** A moment to ask about later. */
  get now(): Moment {
    return { count: this.#count, structure: this.#structure };
  }

  changed(place: number): void {
    this.#places[this.#count++ % remembered] = place;
  }

  /** Nodes came or went: places mean other nodes than before. */
  restructured(): void {
    this.#structure++;
  }

  /** Calls `look` with each place that changed since, some more than once. False when too much has changed to say. */
  since(moment: Moment, look: (place: number) => void): boolean {
    if (moment.structure !== this.#structure || this.#count - moment.count > remembered) return false;
    for (let at = moment.count; at < this.#count; at++) look(this.#places[at % remembered] ?? 0);
    return true;
  }
}

export interface Moment {
  readonly count: number;
  readonly structure: number;
}
