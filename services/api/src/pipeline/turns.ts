import { abortable } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';

const mostWaiting = 10_000;

/** Those who wait for one key, and the one whose turn it is. */
interface Line {
  /** Resolves when everybody in it has had their turn. */
  end: Promise<void>;
  length: number;
}

/** What its writer must call, once, with the revision that it wrote; 0n for none. */
type Leave = (wrote: bigint) => void;

/**
 * Lets writes that change a common object (a quota, a counter) go one after another, instead of all at once and all but one in vain.
 * It spares work and is fair; what is right is decided by the compares alone, also between replicas.
 */
export class Turns {
  readonly #lines = new Map<string, Line>();
  /** The last revision that was written of each key, until the state that writes are decided on shows it. */
  readonly #wrote = new Map<string, bigint>();

  /**
   * The turn at all of `keys`, if nobody has it or waits for it, and the state that the caller has decided on, `shown`, shows what
   * those before wrote. Undefined otherwise.
   */
  takeNow(keys: readonly string[], shown: bigint): readonly Leave[] | undefined {
    if (keys.some((key) => this.#lines.has(key) || (this.#wrote.get(key) ?? 0n) > shown)) return undefined;
    if (this.#wrote.size > mostWaiting) {
      for (const [key, revision] of this.#wrote) if (revision <= shown) this.#wrote.delete(key);
    }
    return keys.map((key) => this.#join(key).leave);
  }

  /** Resolves when it is the caller's turn, with the revision that those before wrote last. */
  async wait(key: string, signal: AbortSignal): Promise<readonly [wrote: bigint, leave: Leave]> {
    const waiting = this.#lines.get(key)?.length ?? 0;
    if (waiting >= mostWaiting) {
      throw new ApiError('TooManyRequests', `${waiting} writes wait for their turn at ${key}; try later`);
    }
    const { before, leave } = this.#join(key);
    try {
      await abortable(before, signal);
    } catch (error) {
      leave(0n);
      throw error;
    }
    return [this.#wrote.get(key) ?? 0n, leave];
  }

  /** The end of the line: `before` resolves when everybody before has left. */
  #join(key: string): { readonly before: Promise<void>; readonly leave: Leave } {
    const line = this.#lines.get(key) ?? { end: Promise.resolve(), length: 0 };
    const before = line.end;
    const mine = Promise.withResolvers<void>();
    line.end = before.then(() => mine.promise);
    line.length++;
    this.#lines.set(key, line);
    const leave: Leave = (wrote) => {
      if (wrote > (this.#wrote.get(key) ?? 0n)) this.#wrote.set(key, wrote);
      if (--line.length === 0) this.#lines.delete(key);
      mine.resolve();
    };
    return { before, leave };
  }
}

/** One write's turn at all the objects that it has in common with others. */
export class Turn implements Disposable {
  readonly #turns: Turns;
  readonly #leave: Leave[] = [];
  #wrote = 0n;
  #taken = false;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  get taken(): boolean {
    return this.#taken;
  }

  /** Whether the turn was to be had at once (see `Turns.takeNow`); if so, it is taken. */
  takeNow(keys: readonly string[], shown: bigint): boolean {
    const leave = this.#turns.takeNow([...new Set(keys)], shown);
    if (leave === undefined) return false;
    this.#taken = true;
    this.#leave.push(...leave);
    return true;
  }

  /** Once. Resolves with the revision that those before wrote last. In the order of the keys, so that no two wait for each other. */
  async take(keys: readonly string[], signal: AbortSignal): Promise<bigint> {
    this.#taken = true;
    let last = 0n;
    for (const key of [...new Set(keys)].sort()) {
      const [wrote, leave] = await this.#turns.wait(key, signal);
      this.#leave.push(leave);
      if (wrote > last) last = wrote;
    }
    return last;
  }

  wrote(revision: bigint): void {
    this.#wrote = revision;
  }

  [Symbol.dispose](): void {
    for (const leave of this.#leave) leave(this.#wrote);
  }
}
