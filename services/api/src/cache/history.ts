import type { ChangeSet } from './cached-object.ts';

export interface HistoryLimits {
  readonly maxBytes: number;
  readonly maxChanges: number;
}

/**
 * The newest changes, within limits of bytes and number. Readers hold a position in it instead of a queue of their own,
 * so that a slow one costs nothing and can hold nobody up; it is simply overtaken.
 */
export class History {
  readonly #limits: HistoryLimits;
  #sets: (ChangeSet | undefined)[] = [];
  #head = 0;
  /** The position of the first set that is kept. Positions count from 0 and never go back. */
  #first = 0;
  #bytes = 0;
  #changes = 0;
  #floor: bigint;

  constructor(limits: HistoryLimits, floor: bigint) {
    this.#limits = limits;
    this.#floor = floor;
  }

  /** Every change after this revision is still here. */
  get floor(): bigint {
    return this.#floor;
  }

  /** The position of the oldest set that is kept. */
  get start(): number {
    return this.#first;
  }

  /** The position that the next set will have. */
  get end(): number {
    return this.#first + this.#sets.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get changes(): number {
    return this.#changes;
  }

  push(set: ChangeSet): void {
    this.#sets.push(set);
    for (const change of set.changes) this.#bytes += change.bytes;
    this.#changes += set.changes.length;
    while (this.#changes > this.#limits.maxChanges || this.#bytes > this.#limits.maxBytes) this.#dropOldest();
  }

  /** The set at a position; undefined at the end. `overtaken` when it is no longer kept. */
  at(position: number): ChangeSet | undefined | 'overtaken' {
    if (position < this.#first) return 'overtaken';
    return this.#sets[this.#head + position - this.#first];
  }

  /** The position of the first set after `revision`; undefined when it is no longer kept. */
  positionAfter(revision: bigint): number | undefined {
    if (revision < this.#floor) return undefined;
    let low = this.#head;
    let high = this.#sets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sets[middle]?.revision ?? 0n) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#first + low - this.#head;
  }

  #dropOldest(): void {
    const set = this.#sets[this.#head];
    if (set === undefined) return;
    this.#sets[this.#head++] = undefined;
    this.#first++;
    this.#floor = set.revision;
    for (const change of set.changes) this.#bytes -= change.bytes;
    this.#changes -= set.changes.length;
    if (this.#head >= 1024 && this.#head * 2 >= this.#sets.length) {
      this.#sets = this.#sets.slice(this.#head);
      this.#head = 0;
    }
  }
}
