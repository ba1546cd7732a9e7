import type { KindDefinition } from '@navarch/kinds';
import type { ObjectKey } from '@navarch/machinery';
import type { Store } from '@navarch/store';
import type { CachedObject } from '../cache/cached-object.ts';
import type { ObjectCache } from '../cache/object-cache.ts';
import { StorePast } from './store-past.ts';

/** Where objects of some kinds are kept: what is read comes from `cache`, what is written goes through `commit`. */
export interface ObjectSource {
  readonly cache: ObjectCache;
  /** Resolves with the newest revision once the cache shows everything that was committed before the call. */
  fresh(signal: AbortSignal): Promise<bigint>;
  readonly commit: Store['commit'];
  readonly commitEach: Store['commitEach'];
  /** What was before the cache's history; undefined where nothing older is kept. */
  readonly past?: Past;
}

/** Objects at a revision that is past. Both reject with Expired when that is no longer kept. */
export interface Past {
  get(kind: KindDefinition, key: ObjectKey, revision: bigint, signal: AbortSignal): Promise<CachedObject | undefined>;
  /** Those of one namespace, or all, after the object `after`, in the order of their keys. */
  list(
    kind: KindDefinition,
    from: { readonly namespace: string; readonly after: ObjectKey | undefined },
    revision: bigint,
    signal: AbortSignal,
  ): AsyncIterable<CachedObject>;
}

/** Finds the source of a kind. */
export interface Sources {
  of(kind: KindDefinition): ObjectSource;
}

/** The store's objects, seen through the watch cache. */
export class StoreSource implements ObjectSource {
  readonly cache: ObjectCache;
  readonly past: Past;
  readonly #store: Store;

  constructor(store: Store, cache: ObjectCache) {
    this.#store = store;
    this.cache = cache;
    this.past = new StorePast(store);
  }

  async fresh(signal: AbortSignal): Promise<bigint> {
    const revision = await this.#store.revision(signal);
    await this.cache.reached(revision, signal);
    return revision;
  }

  readonly commit: Store['commit'] = (transaction, signal) => this.#store.commit(transaction, signal);
  readonly commitEach: Store['commitEach'] = (transactions, signal) => this.#store.commitEach(transactions, signal);
}
