/** When something was so, by its revision. All processes of the machine share the clock of `nowMs`. */
export interface Moments {
  readonly revisions: Float64Array;
  readonly atMs: Float64Array;
}

/** The machine's monotonic clock, in milliseconds. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export class MomentLog {
  readonly #revisions: number[] = [];
  readonly #atMs: number[] = [];

  add(revision: number): void {
    this.#revisions.push(revision);
    this.#atMs.push(nowMs());
  }

  moments(): Moments {
    return { revisions: Float64Array.from(this.#revisions), atMs: Float64Array.from(this.#atMs) };
  }
}

/**
 * From each change to when a batch that ends with `revision` was heard, over all batches and all that are in them.
 * `previous` gives where the batch before ended. Revisions ascend in `changes`, not in `heard`.
 */
export function delaysMs(changes: Moments, heard: Moments, previous: ReadonlyMap<number, number>): number[] {
  const inBatch = new Map<number, number[]>();
  for (const [revision, before] of previous) inBatch.set(revision, between(changes, before, revision));
  const delays: number[] = [];
  for (let i = 0; i < heard.revisions.length; i++) {
    const atMs = heard.atMs[i] ?? 0;
    // One process may hear of a change before another one does.
    for (const changedMs of inBatch.get(heard.revisions[i] ?? 0) ?? []) delays.push(Math.max(0, atMs - changedMs));
  }
  return delays;
}

/** Those not before `fromMs`. */
export function since({ revisions, atMs }: Moments, fromMs: number): Moments {
  const isCounted = (_: number, i: number) => (atMs[i] ?? 0) >= fromMs;
  return { revisions: revisions.filter(isCounted), atMs: atMs.filter(isCounted) };
}

/** When the changes after `from` and up to `to` were. */
function between({ revisions, atMs }: Moments, from: number, to: number): number[] {
  const found: number[] = [];
  revisions.forEach((revision, i) => {
    if (revision > from && revision <= to) found.push(atMs[i] ?? 0);
  });
  return found;
}
