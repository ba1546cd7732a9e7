import type { KindDefinition } from '@navarch/kinds';
import { ApiError, isApiError, type ObjectKey } from '@navarch/machinery';
import type { Entry, Store } from '@navarch/store';
import { CachedObject } from '../cache/cached-object.ts';
import { open } from '../storage/envelope.ts';
import { kindPrefix, parseStorageKey, storageKey } from '../storage/keys.ts';
import type { Past } from './source.ts';

/** So many objects are read at once. */
const pageSize = 500;

/** The past as the store has it, until it is compacted away. */
export class StorePast implements Past {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async get(kind: KindDefinition, key: ObjectKey, revision: bigint, signal: AbortSignal) {
    const entry = await known(revision, this.#store.get(storageKey(kind, key), { revision, signal }));
    return entry && cached(kind, entry);
  }

  async *list(
    kind: KindDefinition,
    { namespace, after }: { readonly namespace: string; readonly after: ObjectKey | undefined },
    revision: bigint,
    signal: AbortSignal,
  ): AsyncGenerator<CachedObject, void, void> {
    const prefix = `${kindPrefix(kind)}${namespace === '' ? '' : `${namespace}/`}`;
    let startAfter = after && storageKey(kind, after);
    for (;;) {
      const options = { revision, limit: pageSize, signal, ...(startAfter === undefined ? {} : { startAfter }) };
      const { entries, more } = await known(revision, this.#store.list(prefix, options));
      for (const entry of entries) yield cached(kind, entry);
      if (!more) return;
      startAfter = entries.at(-1)?.key;
    }
  }
}

/** The store's own words for Expired are those of one who watches. */
async function known<T>(revision: bigint, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw isApiError(error, 'Expired') ? revisionForgotten(revision, error) : error;
  }
}

/** `revision` can't be read any more. */
export function revisionForgotten(revision: bigint, cause?: unknown): ApiError {
  const message = `what was at revision ${revision} is no longer kept: the store forgets what is older than a few minutes; read without a revision, or list again from the start`;
  return new ApiError('Expired', message, { cause });
}

function cached(kind: KindDefinition, { key, value, modRevision }: Entry): CachedObject {
  const { namespace = '', name = '' } = parseStorageKey(key) ?? {};
  return new CachedObject({ kind, key, namespace, name, revision: modRevision }, open(value));
}
