import type { KindDefinition } from '@navarch/kinds';
import type { Store } from '@navarch/store';
import type { ObjectCache } from '../cache/object-cache.ts';

/** Where objects of some kinds are kept: what is read comes from `cache`, what is written goes through `commit`. */
export interface ObjectSource {
  readonly cache: ObjectCache;
  /** Resolves with the newest revision once the cache shows everything that was committed before the call. */
  fresh(signal: AbortSignal): Promise<bigint>;
  readonly commit: Store['commit'];
}

/** Finds the source of a kind. */
export interface Sources {
  of(kind: KindDefinition): ObjectSource;
}

/** The store's objects, seen through the watch cache. */
export class StoreSource implements ObjectSource {
  readonly cache: ObjectCache;
  readonly #store: Store;

  constructor(store: Store, cache: ObjectCache) {
    this.#store = store;
    this.cache = cache;
  }

  async fresh(signal: AbortSignal): Promise<bigint> {
    const revision = await this.#store.revision(signal);
    await this.cache.reached(revision, signal);
    return revision;
  }

  readonly commit: Store['commit'] = (transaction, signal) => this.#store.commit(transaction, signal);
}
