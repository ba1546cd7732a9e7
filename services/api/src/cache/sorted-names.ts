/** Names in order, cheap to add to at the end (as when a sorted list is read) and anywhere else a matter of one move. */
export class SortedNames {
  readonly #names: string[] = [];

  get all(): readonly string[] {
    return this.#names;
  }

  add(name: string): void {
    const at = this.indexOf(name);
    if (this.#names[at] !== name) this.#names.splice(at, 0, name);
  }

  delete(name: string): void {
    const at = this.indexOf(name);
    if (this.#names[at] === name) this.#names.splice(at, 1);
  }

  /** Where `name` is, or would be. */
  indexOf(name: string): number {
    const last = this.#names.at(-1);
    if (last === undefined || last < name) return this.#names.length;
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#names[middle] ?? '') < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
