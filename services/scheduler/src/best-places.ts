/**
 * The best of all places, by worth and then by a second number, and which places are equal to it: kept up to date place by place,
 * each change taking as many steps as the logarithm of their number. A binary tree in flat arrays: what stands at 1 is the best
 * of all, what stands at i the better of 2i and 2i + 1, and the places themselves stand at the end.
 */
export class BestPlaces {
  #leaves = 1;
  #worth = new Float64Array(2).fill(Number.NEGATIVE_INFINITY);
  #second = new Float64Array(2);
  /** How many places below are as good as the best of them; 0 where none can be chosen. */
  #equals = new Int32Array(2);

  /** What the best is worth; -Infinity where there is none. */
  get worth(): number {
    return this.#worth[1] ?? Number.NEGATIVE_INFINITY;
  }

  /** How many are best. */
  get count(): number {
    return this.#equals[1] ?? 0;
  }

  /** Starts again with so many places, none of which can be chosen. `build` has to follow. */
  reset(places: number): void {
    while (this.#leaves < places) this.#leaves *= 2;
    if (this.#worth.length < 2 * this.#leaves) {
      this.#worth = new Float64Array(2 * this.#leaves);
      this.#second = new Float64Array(2 * this.#leaves);
      this.#equals = new Int32Array(2 * this.#leaves);
    }
    this.#worth.fill(Number.NEGATIVE_INFINITY);
    this.#second.fill(0);
    this.#equals.fill(0);
  }

  /** -Infinity is for a place that can't be chosen. Counts after `build` or `update`. */
  put(place: number, worth: number, second: number): void {
    const at = this.#leaves + place;
    this.#worth[at] = worth;
    this.#second[at] = second;
    this.#equals[at] = worth === Number.NEGATIVE_INFINITY ? 0 : 1;
  }

  /** Every place may have been put. */
  build(): void {
    for (let at = this.#leaves - 1; at > 0; at--) this.#join(at);
  }

  /** This place was put. */
  update(place: number): void {
    for (let at = (this.#leaves + place) >>> 1; at > 0 && this.#join(at); at >>>= 1);
  }

  /** The nth of the best by place, from 0. */
  nth(n: number): number {
    let at = 1;
    let before = n;
    while (at < this.#leaves) {
      at *= 2;
      const left = this.#bestAt(at) ? (this.#equals[at] ?? 0) : 0;
      if (before < left) continue;
      before -= left;
      at++;
    }
    return at - this.#leaves;
  }

  /** How many of the best stand at this place or before it. */
  upTo(place: number): number {
    if (place < 0) return 0;
    let at = this.#leaves + place;
    let count = this.#bestAt(at) ? (this.#equals[at] ?? 0) : 0;
    for (; at > 1; at >>>= 1) if (at % 2 === 1 && this.#bestAt(at - 1)) count += this.#equals[at - 1] ?? 0;
    return count;
  }

  #bestAt(at: number): boolean {
    return this.#worth[at] === this.#worth[1] && this.#second[at] === this.#second[1];
  }

  /** False when nothing changes, nor does it above then. */
  #join(at: number): boolean {
    const left = 2 * at;
    const [ours, others] = [this.#worth[left] ?? 0, this.#worth[left + 1] ?? 0];
    const [our, other] = [this.#second[left] ?? 0, this.#second[left + 1] ?? 0];
    const [one, two] = [this.#equals[left] ?? 0, this.#equals[left + 1] ?? 0];
    let [worth, second, equals] = [ours, our, one];
    if (ours < others || (ours === others && our < other)) [worth, second, equals] = [others, other, two];
    else if (ours === others && our === other) equals = one + two;
    const same = this.#worth[at] === worth && this.#second[at] === second && this.#equals[at] === equals;
    this.#worth[at] = worth;
    this.#second[at] = second;
    this.#equals[at] = equals;
    return !same;
  }
}
