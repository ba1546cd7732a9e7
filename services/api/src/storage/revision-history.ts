/** The store's newest revision at a moment. */
export interface RevisionSample {
  readonly revision: bigint;
  readonly atMs: number;
}

/** So many samples are enough to tell what is old. */
const maxSamples = 300;

/** When the store was at which revision, so that it can be told what is old. What is past `keepMs` is forgotten. */
export class RevisionHistory {
  readonly #keepMs: number;
  /** Oldest first. The first one is past `keepMs` once there is one. */
  readonly #samples: RevisionSample[] = [];

  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  add(revision: bigint, atMs: number): void {
    const newest = this.#samples.at(-1);
    if (newest !== undefined && atMs - newest.atMs < this.#keepMs / maxSamples) return;
    this.#samples.push({ revision, atMs });
    while (this.#samples[1] !== undefined && this.#samples[1].atMs <= atMs - this.#keepMs) this.#samples.shift();
  }

  /** The newest revision that was the newest at `atMs` already. */
  at(atMs: number): bigint | undefined {
    return this.#samples.findLast((sample) => sample.atMs <= atMs)?.revision;
  }
}
