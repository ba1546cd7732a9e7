/** The keys that a transaction only compares, and those that it changes. */
export interface KeyUse {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

const writer = -1;

/** Who may be under way at once: any number that read a key, or one that writes it. */
export class KeyLocks {
  /** Keys in use, with the number of readers, or `writer`. */
  readonly #held = new Map<string, number>();

  conflicts({ reads, writes }: KeyUse): boolean {
    return writes.some((key) => this.#held.has(key)) || reads.some((key) => this.#held.get(key) === writer);
  }

  add({ reads, writes }: KeyUse): void {
    for (const key of writes) this.#held.set(key, writer);
    for (const key of reads) {
      const readers = this.#held.get(key) ?? 0;
      if (readers !== writer) this.#held.set(key, readers + 1);
    }
  }

  /** Undoes `add` of something that didn't conflict. */
  remove({ reads, writes }: KeyUse): void {
    for (const key of writes) this.#held.delete(key);
    for (const key of reads) {
      const readers = this.#held.get(key) ?? 0;
      if (readers > 1) this.#held.set(key, readers - 1);
      else this.#held.delete(key);
    }
  }
}
