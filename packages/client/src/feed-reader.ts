import { type EventBus, matches } from '@navarch/bus';
import { type Clock, type Logger, onAbort } from '@navarch/kit';
import { ChangeBatch, FeedBookmark } from '@navarch/proto';
import { FeedAssembler, type FeedStep } from './feed-assembler.ts';
import { bookmarksSubject, changesPattern } from './feed-subjects.ts';
import type { InformerTarget } from './informer-set.ts';
import { Watchdog } from './watchdog.ts';

/** Bookmarks come at least every second. After this long without one that leads on, the feed is taken for dead. */
const feedSilenceMs = 3_000;
/** Subjects travel apart: a batch may come this much later than the bookmark that tells of it. */
const lateBatchMs = 50;
/** Messages of one subject that may wait until they are taken, which happens in the next turn of the event loop. */
const subscriptionBuffer = 4096;

type Complete = Extract<FeedStep, { type: 'complete' }>;

export interface FeedReaderOptions {
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly targets: readonly InformerTarget[];
  /** Called when it is worth asking for the next step. */
  readonly onNews: () => void;
}

/** Listens to the bus, and tells how far the feed leads, or that it does not. */
export class FeedReader {
  readonly #options: FeedReaderOptions;
  readonly #patterns: readonly string[];
  readonly #assembler: FeedAssembler;
  #late: Disposable | undefined;
  #silence: Watchdog | undefined;
  #fail: ((reason: string) => void) | undefined;

  constructor(options: FeedReaderOptions) {
    this.#options = options;
    this.#patterns = options.targets.map(({ kind, feedToken }) => changesPattern(kind, feedToken));
    this.#assembler = new FeedAssembler((subject) => this.#patterns.some((pattern) => matches(pattern, subject)));
  }

  /** Takes messages from the bus until `signal` aborts. */
  async listen(signal: AbortSignal): Promise<void> {
    const { bus } = this.#options;
    bus.onStatus((connected) => {
      if (!connected) this.#fail?.('the bus is down');
    }, signal);
    const bookmarks = this.#take(bookmarksSubject, signal, (_, payload) => {
      const { previous, revision, heads } = FeedBookmark.decode(payload);
      this.#assembler.addBookmark({ previous, revision, heads: new Map(Object.entries(heads)) });
      this.#options.onNews();
    });
    const batches = this.#patterns.map((pattern) =>
      this.#take(pattern, signal, (subject, payload) => {
        const { revision, previous, events } = ChangeBatch.decode(payload);
        this.#assembler.addBatch({ subject, revision, previous, events });
        // A bookmark may be waiting for exactly this batch.
        if (this.#late) this.#options.onNews();
      }),
    );
    await Promise.all([bookmarks, ...batches]);
  }

  /** What leads on from `position`, if anything does. */
  next(position: bigint): Complete | undefined {
    if (!this.#options.bus.connected) return undefined;
    const step = this.#assembler.next(position);
    if (step.type !== 'incomplete') this.#stopWaiting();
    switch (step.type) {
      case 'complete':
        this.#silence?.reset();
        return step;
      case 'hole':
        this.#fail?.('a bookmark was lost');
        return undefined;
      case 'incomplete':
        this.#late ??= this.#options.clock.timer(lateBatchMs, () => {
          this.#stopWaiting();
          this.#fail?.('changes were lost');
        });
        return undefined;
      case 'nothing':
        return undefined;
      default:
        return step satisfies never;
    }
  }

  /** What came so far belongs to a history that is void. */
  forget(): void {
    this.#assembler.clear();
  }

  /** Resolves with the reason when the feed no longer leads on, or when `signal` aborts. */
  async failed(signal: AbortSignal): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    using _abort = onAbort(signal, () => resolve('stopped'));
    using silence = new Watchdog(this.#options.clock, feedSilenceMs, () =>
      resolve(`nothing was heard of it for ${feedSilenceMs} ms`),
    );
    this.#silence = silence;
    this.#fail = resolve;
    if (!this.#options.bus.connected) resolve('the bus is down');
    try {
      return await promise;
    } finally {
      this.#fail = undefined;
      this.#silence = undefined;
      this.#stopWaiting();
    }
  }

  #stopWaiting(): void {
    this.#late?.[Symbol.dispose]();
    this.#late = undefined;
  }

  async #take(pattern: string, signal: AbortSignal, onMessage: (subject: string, payload: Uint8Array) => void) {
    for await (const { subject, payload } of this.#options.bus.subscribe(pattern, {
      buffer: subscriptionBuffer,
      signal,
    })) {
      try {
        onMessage(subject, payload);
      } catch (error) {
        // What a message can't tell, the chain shows as a hole.
        this.#options.logger.warn({ err: error, subject }, 'a message of the change feed could not be read');
      }
    }
  }
}
