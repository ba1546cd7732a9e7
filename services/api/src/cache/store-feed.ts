import { customResourceDefinition, type KindDefinition, type KindRegistry } from '@navarch/kinds';
import { Backoff, type Component, type Logger, retry } from '@navarch/kit';
import { isApiError } from '@navarch/machinery';
import type { Entry, Page, Store, StoreEvent } from '@navarch/store';
import type { CustomResourceDefinition } from '@navarch/proto';
import { open } from '../storage/envelope.ts';
import { kindPrefix, objectPrefix, parseStorageKey } from '../storage/keys.ts';
import { CachedObject } from './cached-object.ts';
import type { ObjectCache, Update } from './object-cache.ts';

/**
 * How far in the past the cache begins when the api starts, in revisions: those who watched an api that is gone go on
 * where they were instead of listing everything again.
 */
const backlogRevisions = 2_000n;

/** Fills the cache from one watch over everything, in the background: `cache.filled` tells when. Waits while the store is down. */
export class StoreFeed implements Component {
  readonly name = 'watch cache';
  readonly #store: Store;
  readonly #cache: ObjectCache;
  readonly #logger: Logger;
  readonly #kinds: KindRegistry;
  readonly #unknown = new Set<string>();
  #running: Promise<void> = Promise.resolve();

  constructor(options: { store: Store; cache: ObjectCache; logger: Logger; kinds: KindRegistry }) {
    this.#store = options.store;
    this.#cache = options.cache;
    this.#logger = options.logger;
    this.#kinds = options.kinds;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#running = retry((signal) => this.#follow(signal), {
      backoff: new Backoff({ baseMs: 100, maxMs: 5_000 }),
      signal,
      onError: (error, delayMs) => {
        if (isApiError(error, 'Expired')) this.#logger.info('the store has compacted past the cache: listing again');
        else this.#logger.warn({ err: error, delayMs }, 'the store can not be read: waiting for it');
      },
    }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  async stop(): Promise<void> {
    await this.#running;
  }

  /** Lists, then watches until it fails. */
  async #follow(signal: AbortSignal): Promise<void> {
    const page = await this.#begin(signal);
    // First the definitions: they say of what kinds the other objects are.
    this.#kinds.reset(this.#definitions(page.entries));
    this.#cache.reset(
      page.entries.flatMap((entry) => this.#cached(entry) ?? []),
      page.revision,
    );
    this.#logger.info({ objects: page.entries.length, revision: String(page.revision) }, 'watch cache filled');
    for await (const batch of this.#store.watch(objectPrefix, { after: page.revision, signal })) {
      this.#cache.apply(
        batch.revision,
        batch.events.flatMap((event) => this.#update(event) ?? []),
      );
    }
    signal.throwIfAborted();
    throw new Error('the watch of the store ended');
  }

  async #begin(signal: AbortSignal): Promise<Page> {
    const newest = await this.#store.revision(signal);
    const past = newest > backlogRevisions ? newest - backlogRevisions : 1n;
    if (!this.#cache.filled) {
      try {
        return await this.#store.list(objectPrefix, { revision: past, signal });
      } catch (error) {
        if (!isApiError(error, 'Expired')) throw error;
      }
    }
    return await this.#store.list(objectPrefix, { signal });
  }

  #update(event: StoreEvent): Update | undefined {
    const key = event.type === 'put' ? event.entry.key : event.key;
    const about = this.#describe(key);
    if (about === undefined) return undefined;
    const object = event.type === 'put' ? this.#cached(event.entry) : undefined;
    if (about.kind.case === customResourceDefinition.case) {
      this.#kinds.set(about.name, object && definitionOf(object));
    }
    return { ...about, object };
  }

  #definitions(entries: readonly Entry[]): ReadonlyMap<string, CustomResourceDefinition> {
    const prefix = kindPrefix(customResourceDefinition);
    const definitions = entries
      .filter(({ key }) => key.startsWith(prefix))
      .flatMap((entry) => this.#cached(entry) ?? []);
    return new Map(definitions.map((object) => [object.name, definitionOf(object)]));
  }

  #cached(entry: Entry): CachedObject | undefined {
    const about = this.#describe(entry.key);
    if (about === undefined) return undefined;
    return new CachedObject({ ...about, key: entry.key, revision: entry.modRevision }, open(entry.value));
  }

  #describe(key: string): { kind: KindDefinition; namespace: string; name: string } | undefined {
    const parsed = parseStorageKey(key);
    const kind = this.#kinds.atPlace(parsed?.place ?? '');
    if (parsed !== undefined && kind !== undefined) return { kind, namespace: parsed.namespace, name: parsed.name };
    const unknown = parsed?.place ?? key;
    // A newer api may have written kinds that this one does not know. Said once; bounded by what there is.
    if (!this.#unknown.has(unknown) && this.#unknown.size < 1_000) {
      this.#unknown.add(unknown);
      this.#logger.warn({ key: unknown }, 'the store holds objects of a kind that this api does not know');
    }
    return undefined;
  }
}

function definitionOf(cached: CachedObject): CustomResourceDefinition {
  return cached.object as CustomResourceDefinition; // the callers have looked at the kind
}
