import type { EventBus } from '@navarch/bus';
import { bookmarksSubject, changesSubject, travelsOnFeed } from '@navarch/client';
import { type Clock, onAbort } from '@navarch/kit';
import { FeedBookmark } from '@navarch/proto';
import type { Change, ChangeSet } from '../cache/cached-object.ts';
import type { ObjectCache } from '../cache/object-cache.ts';
import { SubjectChain } from './subject-chain.ts';
import { added, deleted, encodeChangeBatch, eventSize, modified, type WireEvent } from '../wire/responses.ts';

/**
 * What comes within a turn travels together: a server that fans out to a thousand readers is limited by messages, not by
 * bytes. While changes come, turns follow one another this fast for a while, so that nobody waits for a few changes, and
 * no faster than `steadyTurnMs` if that goes on. While none come, there is one in `idleTurnMs`.
 */
const busyTurnMs = 5;
const steadyTurnMs = 20;
const idleTurnMs = 1_000;
/** So many turns may be fast in a row; one more for each `steadyTurnMs` that pass. */
const mostFastTurns = 20;
/** A batch is closed at the end of the revision that makes it this large: the bus takes messages of about 1 MiB. */
const fullBatchBytes = 256 * 1024;

/** Changes of some revisions on one subject. */
interface Batch {
  readonly events: WireEvent[];
  bytes: number;
  revision: bigint;
}

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
    let turnedAtMs = Number.NEGATIVE_INFINITY;
    let fastTurns = mostFastTurns;
    let batches = new Map<string, Batch[]>();
    const chain = new SubjectChain(startedAfter);
    let news = Promise.withResolvers<void>();
    using _change = cache.onChange('all', () => news.resolve());
    using _abort = onAbort(signal, () => news.resolve());

    while (!signal.aborted && cache.epoch === epoch) {
      news = Promise.withResolvers();
      for (let set = history.at(position); set !== undefined; set = history.at(++position)) {
        // Overtaken by the history itself: this process was stopped for long. Readers notice the hole.
        if (set === 'overtaken') return;
        gather(set, batches);
      }
      const nowMs = this.#clock.monotonicMs();
      const turnMs = batches.size === 0 ? idleTurnMs : fastTurns >= 1 ? busyTurnMs : steadyTurnMs;
      const dueInMs = turnedAtMs + turnMs - nowMs;
      if (dueInMs <= 0) {
        const { revision } = cache;
        this.#publish(batches, chain);
        this.#bookmark(revision, bookmarked, batches);
        bookmarked = revision;
        const earned = (nowMs - turnedAtMs) / steadyTurnMs;
        fastTurns = Math.max(0, Math.min(mostFastTurns, fastTurns + earned) - 1);
        turnedAtMs = nowMs;
        batches = new Map();
        continue;
      }
      using _timer = this.#clock.timer(Math.max(1, dueInMs), () => news.resolve());
      await news.promise;
    }
  }

  #publish(batches: ReadonlyMap<string, readonly Batch[]>, chain: SubjectChain): void {
    for (const [subject, list] of batches) {
      for (const { revision, events } of list) {
        // The chain goes on also when the bus could not take the batch: its readers see the hole.
        const previous = chain.next(subject, revision);
        if (!this.#bus.connected) continue;
        this.#bus.publish(subject, encodeChangeBatch(revision, previous, events));
        this.#onBatch();
      }
    }
  }

  #bookmark(revision: bigint, previous: bigint, batches: ReadonlyMap<string, readonly Batch[]>): void {
    const heads = Object.fromEntries([...batches].map(([subject, list]) => [subject, list.at(-1)?.revision ?? 0n]));
    this.#bus.publish(bookmarksSubject, FeedBookmark.encode({ revision, previous, heads }).finish());
  }
}

/** Adds the changes of one revision to what will be published in this turn. */
function gather(set: ChangeSet, batches: Map<string, Batch[]>): void {
  for (const change of set.changes) {
    if (!travelsOnFeed(change.kind)) continue;
    const subject = changesSubject(change.kind, change.newest.feedToken);
    let list = batches.get(subject);
    if (list === undefined) batches.set(subject, (list = []));
    let batch = list.at(-1);
    // The changes of one revision on one subject are never parted.
    if (batch === undefined || (batch.bytes >= fullBatchBytes && batch.revision !== set.revision)) {
      list.push((batch = { events: [], bytes: 0, revision: set.revision }));
    }
    const event = change.event(typeOf(change));
    batch.events.push(event);
    batch.bytes += eventSize(event);
    batch.revision = set.revision;
  }
}

function typeOf({ before, after }: Change): typeof added {
  if (after === undefined) return deleted;
  return before === undefined ? added : modified;
}
