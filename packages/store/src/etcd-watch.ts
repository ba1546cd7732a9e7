import { Backoff, type Clock, onAbort } from '@navarch/kit';
import { isApiError } from '@navarch/machinery';
import type { EtcdConnection } from './etcd-connection.ts';
import { everyKey } from './keys.ts';
import type { StoreObserver } from './observer.ts';
import { ResponseReader } from './response-reader.ts';
import { atLeastOne, closedError, futureError } from './revisions.ts';
import type { WatchBatch } from './store.ts';
import { RevisionGap, WatchAssembler } from './watch-assembler.ts';

/** What a watch needs of a logger; pino's fits. */
export interface StoreLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface WatchParts {
  readonly connection: EtcdConnection;
  /** The store's newest revision, linearizable. */
  readonly revision: () => Promise<bigint>;
  readonly clock: Clock;
  readonly logger: StoreLogger | undefined;
  readonly observer: StoreObserver;
}

export interface WatchOptions {
  readonly after: bigint;
  readonly bookmarkMs?: number;
  readonly signal: AbortSignal;
}

/** A stream that is this long behind what etcd has confirmed is broken, whatever its connection says. */
const stallMs = 5_000;

/**
 * The watch contract on etcd, across any number of streams. Two things make it exact with every version of etcd:
 *
 * - It watches every key and filters here. Each revision of etcd has at least one event, so the position is always
 *   known, a gap can't hide, and a bookmark needs no progress notification. (etcd 3.4 answers a request for progress on a
 *   way round the events, so that it can overtake them: etcd-io/etcd#15220.)
 * - It starts at the last revision that it has, not at the one after: etcd then refuses when anything after that is
 *   compacted, also a deletion in the very revision of the compaction, which it would leave out without a word.
 */
export async function* watchEtcd(
  parts: WatchParts,
  prefix: string,
  options: WatchOptions,
): AsyncGenerator<WatchBatch, void, void> {
  const { signal } = options;
  const { connection, clock, logger, observer } = parts;
  const backoff = new Backoff({ baseMs: 50, maxMs: 2_000, jitter: 0.5 });
  let position = options.after;
  let gapAt: bigint | undefined;
  while (!signal.aborted) {
    try {
      const assembler = new WatchAssembler({ prefix, position, acceptGapAt: gapAt });
      for await (const batch of watchOnce(parts, assembler, options)) {
        if (backoff.failures > 0) logger?.info({ etcd: connection.where, revision: position }, 'watching etcd again');
        backoff.reset();
        // Not after the yield: a consumer that stops there has had this batch.
        position = batch.revision;
        yield batch;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (connection.closing.aborted) throw closedError();
      if (isApiError(error, 'Expired')) throw error;
      if (error instanceof RevisionGap) gapAt = error.position;
      const fields = { err: error, etcd: connection.where, revision: position };
      if (backoff.failures === 0) logger?.warn(fields, 'lost the watch on etcd, opening another');
      else logger?.debug(fields, 'no watch on etcd yet');
      observer.reconnect?.();
      await clock.sleep(backoff.next(), signal).catch(() => {}); // aborted: the loop ends
    }
  }
}

/** One stream, until it breaks (throws) or `signal` aborts (ends). */
async function* watchOnce(
  parts: WatchParts,
  assembler: WatchAssembler,
  { bookmarkMs = 1000, signal }: WatchOptions,
): AsyncGenerator<WatchBatch, void, void> {
  const { connection, clock } = parts;
  const call = connection.openWatch();
  const reader = new ResponseReader(call);
  using _aborted = onAbort(signal, () => call.cancel());
  using _closing = onAbort(connection.closing, () => call.cancel());
  const newest = new NewestRevision(parts, () => reader.wake());
  call.write({
    requestUnion: {
      $case: 'createRequest',
      value: {
        ...everyKey,
        startRevision: atLeastOne(assembler.position),
        progressNotify: false,
        prevKv: false,
        watchId: 0n,
        fragment: true,
      },
    },
  });
  try {
    newest.ask(assembler.position);
    let told = assembler.position;
    let toldAtMs = clock.monotonicMs();
    while (!signal.aborted) {
      const response = reader.take();
      if (response) {
        for (const batch of assembler.add(response)) {
          told = batch.revision;
          yield batch;
          toldAtMs = clock.monotonicMs();
        }
        continue;
      }
      // All that has come is delivered. Revisions of other prefixes count too: the caller may wait to have seen them.
      const caughtUp = newest.reachedBy(assembler.position);
      if (told < assembler.position || caughtUp) {
        told = assembler.position;
        if (caughtUp) newest.forget();
        yield { revision: told, events: [] };
        toldAtMs = clock.monotonicMs();
        continue;
      }
      const idleMs = clock.monotonicMs() - toldAtMs;
      if (idleMs >= bookmarkMs) newest.ask(assembler.position);
      const woken = await reader.wait(newest.pending ? stallMs : bookmarkMs - idleMs, clock, signal);
      newest.throwIfFailed();
      if (!woken && newest.answered) throw new Error(`the watch brought nothing of what is new for ${stallMs} ms`);
    }
  } finally {
    call.cancel();
  }
}

/** What etcd says is its newest revision: asked when the stream is silent, to tell an idle stream from a dead one. */
class NewestRevision {
  readonly #parts: WatchParts;
  readonly #wake: () => void;
  #asking = false;
  #answer: bigint | undefined;
  #error: Error | undefined;

  constructor(parts: WatchParts, wake: () => void) {
    this.#parts = parts;
    this.#wake = wake;
  }

  /** Asked and not answered, or answered and not yet reached. */
  get pending(): boolean {
    return this.#asking || this.answered;
  }

  get answered(): boolean {
    return this.#answer !== undefined;
  }

  /** `position`: how far the stream has come already. */
  ask(position: bigint): void {
    if (this.pending) return;
    this.#asking = true;
    void this.#parts
      .revision()
      .then(
        (revision) => {
          if (revision < position) this.#error = futureError(position, revision);
          else this.#answer = revision;
        },
        (error: Error) => (this.#error = error),
      )
      .finally(() => {
        this.#asking = false;
        this.#wake();
      });
  }

  /** Whether the answer is there and the stream has come as far. */
  reachedBy(position: bigint): boolean {
    return this.#answer !== undefined && this.#answer <= position;
  }

  forget(): void {
    this.#answer = undefined;
  }

  throwIfFailed(): void {
    if (this.#error) throw this.#error;
  }
}
