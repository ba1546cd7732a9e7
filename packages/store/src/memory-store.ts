import { type Clock, onAbort, systemClock } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import { checkKey, checkWellFormed } from './keys.ts';
import { checkListing } from './listing.ts';
import { atLeastOne, closedError, compactedError, futureError } from './revisions.ts';
import {
  type Conflict,
  type Entry,
  holds,
  type Page,
  type Store,
  type StoreEvent,
  type Transaction,
  type TransactionResult,
  type WatchBatch,
} from './store.ts';
import { checkTransaction } from './transaction.ts';
import { VersionedMap } from './versioned-map.ts';

/** One link of the history: a watch holds the last one it has delivered, so nobody can pull the rest from under it. */
interface Link extends WatchBatch {
  next: Link | undefined;
}

/**
 * A Store inside the process, for tests and simulation: the same promises, nothing durable. A transaction takes effect
 * in the very call of `commit`. History is kept until `compact`.
 */
export class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #map = new VersionedMap();
  readonly #wakers = new Set<() => void>();
  #revision = 1n;
  #compacted = 0n;
  #oldest: Link = { revision: 1n, events: [], next: undefined };
  #newest = this.#oldest;
  #closed = false;

  /** `clock` times the bookmarks; the default is real time. */
  constructor(options: { clock?: Clock } = {}) {
    this.#clock = options.clock ?? systemClock;
  }

  async get(key: string, options: { revision?: bigint; signal?: AbortSignal } = {}): Promise<Entry | undefined> {
    this.#check(options.signal);
    checkKey(key);
    return this.#map.get(key, this.#readable(options.revision));
  }

  async list(
    prefix: string,
    options: { revision?: bigint; limit?: number; startAfter?: string; signal?: AbortSignal } = {},
  ): Promise<Page> {
    const { limit = Number.POSITIVE_INFINITY, startAfter } = options;
    this.#check(options.signal);
    checkListing(prefix, options);
    const revision = this.#readable(options.revision);
    const entries: Entry[] = [];
    for (const entry of this.#map.entries(prefix, startAfter, revision)) {
      if (entries.length === limit) return { entries, revision, more: true };
      entries.push(entry);
    }
    return { entries, revision, more: false };
  }

  async revision(signal?: AbortSignal): Promise<bigint> {
    this.#check(signal);
    return this.#revision;
  }

  async commit(transaction: Transaction, signal?: AbortSignal): Promise<TransactionResult> {
    this.#check(signal);
    checkTransaction(transaction);
    const conflicts: Conflict[] = [];
    for (const compare of transaction.compare) {
      const entry = this.#map.get(compare.key, this.#revision);
      if (!holds(compare, entry?.modRevision ?? 0n)) conflicts.push({ key: compare.key, entry });
    }
    if (conflicts.length > 0) return { committed: false, revision: this.#revision, conflicts };

    const revision = this.#revision + 1n;
    const events: StoreEvent[] = [];
    for (const op of transaction.ops) {
      if (op.type === 'put') events.push({ type: 'put', entry: this.#map.put(op.key, op.value, revision) });
      else if (this.#map.delete(op.key, revision)) {
        events.push({ type: 'delete', key: op.key, modRevision: revision });
      }
    }
    if (events.length > 0) this.#append({ revision, events, next: undefined });
    return { committed: true, revision: this.#revision };
  }

  async commitEach(
    transactions: readonly Transaction[],
    signal?: AbortSignal,
  ): Promise<readonly PromiseSettledResult<TransactionResult>[]> {
    return await Promise.allSettled(transactions.map((transaction) => this.commit(transaction, signal)));
  }

  async *watch(
    prefix: string,
    options: { after: bigint; bookmarkMs?: number; signal: AbortSignal },
  ): AsyncGenerator<WatchBatch, void, void> {
    const { after, bookmarkMs = 1000, signal } = options;
    checkWellFormed(prefix);
    let position = this.#linkAt(after);
    let told = -1n; // so that the first thing said, when there is nothing else, is a bookmark
    while (!signal.aborted) {
      if (this.#closed) throw closedError();
      if (position.next) {
        position = position.next;
        const events = position.events.filter((event) => keyOf(event).startsWith(prefix));
        if (events.length === 0) continue;
        told = position.revision;
        yield { revision: told, events };
      } else if (told < position.revision || !(await this.#changed(bookmarkMs, signal))) {
        if (signal.aborted || this.#closed) continue;
        told = position.revision;
        yield { revision: told, events: [] };
      }
    }
  }

  async compact(revision: bigint, signal?: AbortSignal): Promise<void> {
    this.#check(signal);
    if (revision > this.#revision) throw futureError(revision, this.#revision);
    if (revision <= this.#compacted) return;
    this.#compacted = revision;
    this.#map.compact(revision);
    while (this.#oldest.revision < revision && this.#oldest.next) this.#oldest = this.#oldest.next;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wakeAll();
  }

  #append(link: Link): void {
    this.#newest.next = link;
    this.#newest = link;
    this.#revision = link.revision;
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#wakers) wake();
    this.#wakers.clear();
  }

  /** The newest link that isn't after `after`. */
  #linkAt(after: bigint): Link {
    if (after > this.#revision) throw futureError(after, this.#revision);
    if (atLeastOne(after) < this.#compacted) throw compactedError(after, this.#compacted);
    let link = this.#oldest;
    while (link.next && link.next.revision <= after) link = link.next;
    return link;
  }

  /** Waits for the next change: false when `ms` went by without one. */
  async #changed(ms: number, signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const wake = () => resolve(true);
    this.#wakers.add(wake);
    using _timer = this.#clock.timer(ms, () => resolve(false));
    using _listener = onAbort(signal, wake);
    const changed = await promise;
    this.#wakers.delete(wake);
    return changed;
  }

  #check(signal: AbortSignal | undefined): void {
    if (this.#closed) throw closedError();
    if (signal?.aborted) throw new ApiError('Cancelled', 'the call was cancelled', { cause: signal.reason });
  }

  #readable(revision = this.#revision): bigint {
    if (revision > this.#revision) throw futureError(revision, this.#revision);
    if (atLeastOne(revision) < this.#compacted) throw compactedError(revision, this.#compacted);
    return revision;
  }
}

function keyOf(event: StoreEvent): string {
  return event.type === 'put' ? event.entry.key : event.key;
}
