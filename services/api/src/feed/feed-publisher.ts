import type { EventBus } from '@navarch/bus';
import { bookmarksSubject, changesSubject, travelsOnFeed } from '@navarch/client';
import { type Clock, onAbort } from '@navarch/kit';
import { FeedBookmark } from '@navarch/proto';
import type { Change, ChangeSet } from '../cache/cached-object.ts';
import type { ObjectCache } from '../cache/object-cache.ts';
import { SubjectChain } from './subject-chain.ts';
import { added, deleted, encodeChangeBatch, modified, type WireEvent } from '../wire/responses.ts';

/** Bookmarks follow one another no faster than this while changes come, and no slower than the other while none do. */
const busyBookmarkMs = 5;
const idleBookmarkMs = 1_000;

/**
 * Publishes every change that the cache sees, once, on the subject of the object's state after it, with the revision of
 * the batch before; and bookmarks, which let readers know that they have everything. A batch that the bus loses shows as a
 * hole in that chain, and its readers ask the api instead: so nothing here is ever sent again.
 */
export class FeedPublisher {
  readonly #cache: ObjectCache;
  readonly #bus: EventBus;
  readonly #clock: Clock;
  readonly #onBatch: () => void;

  constructor(options: {
    cache: ObjectCache;
    bus: EventBus;
    clock: Clock;
    onBatch: () => void;
  }) {
    this.#cache = options.cache;
    this.#bus = options.bus;
    this.#clock = options.clock;
    this.#onBatch = options.onBatch;
  }

  /** Publishes what comes after this moment, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.#runEpoch(signal);
  }

  /** Until the cache starts anew: what happened meanwhile is not known, so the chain starts anew, too. */
  async #runEpoch(signal: AbortSignal): Promise<void> {
    const cache = this.#cache;
    const { epoch, history } = cache;
    const startedAfter = cache.revision;
    let position = history.end;
    let bookmarked = startedAfter;
    let heads = new Map<string, bigint>();
    const chain = new SubjectChain(startedAfter);
    let bookmarkedAtMs = Number.NEGATIVE_INFINITY;
    let news = Promise.withResolvers<void>();
    using _change = cache.onChange('all', () => news.resolve());
    using _abort = onAbort(signal, () => news.resolve());

    while (!signal.aborted && cache.epoch === epoch) {
      news = Promise.withResolvers();
      for (let set = history.at(position); set !== undefined; set = history.at(++position)) {
        // Overtaken by the history itself: this process was stopped for long. Readers notice the hole.
        if (set === 'overtaken') return;
        this.#publish(set, chain, heads);
      }
      const revision = cache.revision;
      const sinceMs = this.#clock.monotonicMs() - bookmarkedAtMs;
      const dueMs = heads.size > 0 ? busyBookmarkMs : idleBookmarkMs;
      if (sinceMs >= dueMs) {
        this.#bookmark(revision, bookmarked, heads);
        bookmarked = revision;
        bookmarkedAtMs = this.#clock.monotonicMs();
        heads = new Map();
      }
      const nextMs = heads.size > 0 ? busyBookmarkMs : idleBookmarkMs;
      using _timer = this.#clock.timer(Math.max(1, bookmarkedAtMs + nextMs - this.#clock.monotonicMs()), () =>
        news.resolve(),
      );
      await news.promise;
    }
  }

  #publish(set: ChangeSet, chain: SubjectChain, heads: Map<string, bigint>): void {
    const batches = new Map<string, WireEvent[]>();
    for (const change of set.changes) {
      if (!travelsOnFeed(change.kind)) continue;
      const subject = changesSubject(change.kind, change.newest.feedToken);
      const events = batches.get(subject) ?? [];
      batches.set(subject, events);
      events.push(change.event(typeOf(change)));
    }
    for (const [subject, events] of batches) {
      // The chain goes on also when the bus could not take the batch: its readers see the hole.
      const previous = chain.next(subject, set.revision);
      this.#bus.publish(subject, encodeChangeBatch(set.revision, previous, events));
      this.#onBatch();
      heads.set(subject, set.revision);
    }
  }

  #bookmark(revision: bigint, previous: bigint, heads: ReadonlyMap<string, bigint>): void {
    const bookmark = FeedBookmark.encode({ revision, previous, heads: Object.fromEntries(heads) });
    this.#bus.publish(bookmarksSubject, bookmark.finish());
  }
}

function typeOf({ before, after }: Change): typeof added {
  if (after === undefined) return deleted;
  return before === undefined ? added : modified;
}
