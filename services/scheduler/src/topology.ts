/** The values of one label of all nodes, numbered as they are seen: a value keeps its number. */
export class Topology {
  readonly key: string;
  /** By a node's place: the number of its value; -1 where it has no such label. */
  domainOf = new Int32Array(64).fill(-1);
  readonly #numbers = new Map<string, number>();
  #nodes = 0;

  constructor(key: string) {
    this.key = key;
  }

  /** How many values there have been. */
  get size(): number {
    return this.#numbers.size;
  }

  /** A node comes to `place`, and those from there on move up. */
  insert(place: number, labels: Readonly<Record<string, string>>): void {
    if (this.#nodes === this.domainOf.length) {
      const larger = new Int32Array(2 * this.#nodes).fill(-1);
      larger.set(this.domainOf);
      this.domainOf = larger;
    }
    this.domainOf.copyWithin(place + 1, place, this.#nodes);
    this.#nodes++;
    this.relabel(place, labels);
  }

  remove(place: number): void {
    this.domainOf.copyWithin(place, place + 1, this.#nodes);
    this.#nodes--;
  }

  relabel(place: number, labels: Readonly<Record<string, string>>): void {
    const value = labels[this.key];
    let number = value === undefined ? -1 : this.#numbers.get(value);
    if (value !== undefined && number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(value, number);
    }
    this.domainOf[place] = number ?? -1;
  }
}

/** Counts by the values of a topology. What is beyond its end is 0. */
export class DomainCounts {
  readonly topology: Topology;
  /** By the number of a value. */
  counts = new Int32Array(16);
  total = 0;

  constructor(topology: Topology) {
    this.topology = topology;
  }

  /** Counts at a node's place. A node without the label counts nowhere. */
  add(place: number, by: number): void {
    const domain = this.topology.domainOf[place] ?? -1;
    if (domain < 0) return;
    if (domain >= this.counts.length) {
      const larger = new Int32Array(Math.max(2 * this.counts.length, domain + 1));
      larger.set(this.counts);
      this.counts = larger;
    }
    this.counts[domain] = (this.counts[domain] ?? 0) + by;
    this.total += by;
  }
}
