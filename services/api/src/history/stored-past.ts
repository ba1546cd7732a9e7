import type { KindDefinition } from '@navarch/kinds';
import { isApiError, type ObjectKey } from '@navarch/machinery';
import type { CachedObject } from '../cache/cached-object.ts';
import type { Past } from '../read/source.ts';

/** One object's past as far as the store has it. */
export class StoredPast {
  readonly #past: Past;
  readonly #kind: KindDefinition;
  readonly #key: ObjectKey;
  /** The newest revision that could not be read. */
  #forgotten = 0n;
  /** The oldest that could. */
  #known: bigint | undefined;

  constructor(past: Past, kind: KindDefinition, key: ObjectKey) {
    this.#past = past;
    this.#kind = kind;
    this.#key = key;
  }

  /** The object at a revision. */
  async at(revision: bigint, signal: AbortSignal): Promise<CachedObject | 'absent' | 'forgotten'> {
    if (revision <= this.#forgotten) return 'forgotten';
    try {
      const object = await this.#past.get(this.#kind, this.#key, revision, signal);
      if (this.#known === undefined || revision < this.#known) this.#known = revision;
      return object ?? 'absent';
    } catch (error) {
      if (!isApiError(error, 'Expired')) throw error;
      this.#forgotten = revision;
      return 'forgotten';
    }
  }

  /** Whether what was at a revision can still be read. */
  async knows(revision: bigint, signal: AbortSignal): Promise<boolean> {
    if (this.#known !== undefined && revision >= this.#known) return true;
    return (await this.at(revision, signal)) !== 'forgotten';
  }

  /**
   * When the object went that is absent at `revision`: the store does not say, so ever older revisions are looked at. A life
   * that came and went between two of them is missed.
   */
  async deletionBefore(revision: bigint, signal: AbortSignal): Promise<bigint | undefined> {
    let absent = revision;
    let low = revision - 1n;
    let state = await this.at(low, signal);
    for (let step = 2n; state === 'absent'; step *= 2n) {
      absent = low;
      low = revision - step;
      state = await this.at(low, signal);
    }
    while (absent - low > 1n) {
      const middle = (absent + low) / 2n;
      const there = await this.at(middle, signal);
      if (there === 'absent') absent = middle;
      else [low, state] = [middle, there];
    }
    return state === 'forgotten' ? undefined : absent;
  }
}
