import type { EventBus, EventStream } from '@navarch/bus';
import { Backoff, type Clock, type Logger, retry } from '@navarch/kit';
import { ApiError, isApiError } from '@navarch/machinery';
import type { Change } from '../cache/cached-object.ts';
import type { ObjectCache } from '../cache/object-cache.ts';
import {
  decodePastVersion,
  encodePastVersion,
  type HistoryLimits,
  historyStream,
  historySubject,
  isKept,
} from './history-stream.ts';

/** How often it looks for changes. Nobody waits for it. */
const everyMs = 500;
/** So many messages are on their way to the stream at once. */
const maxAppending = 128;

interface RecorderOptions {
  readonly cache: ObjectCache;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: HistoryLimits;
  readonly clusterId: () => string;
  readonly onVersion: () => void;
}

/**
 * Keeps each version that was replaced or deleted, for when the store has forgotten it. It follows the history of the cache
 * at its own pace: a write never waits for it, and making an object costs it nothing, for the version that an object has is in
 * the store. While the bus is down it stays where it is; when the cache's history overtakes it, versions are missing, which
 * shows, because each that is kept says what came after it.
 */
export class HistoryRecorder {
  readonly #options: RecorderOptions;
  readonly #stream: EventStream;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#stream = historyStream(options.bus, options.limits);
  }

  /** Records until `signal` aborts: what has happened since the last version that was kept, as far as the cache knows it. */
  async run(signal: AbortSignal): Promise<void> {
    const { logger, clock } = this.#options;
    const backoff = new Backoff({ baseMs: 500, maxMs: 10_000 });
    const record = async (signal: AbortSignal) => {
      while (!signal.aborted) await this.#runEpoch(signal, () => backoff.reset());
    };
    await retry(record, {
      backoff,
      signal,
      clock,
      onError: (err, delayMs) => logger.debug({ err, delayMs }, 'past versions of objects can not be kept just now'),
    }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  async #runEpoch(signal: AbortSignal, onProgress: () => void): Promise<void> {
    const { cache, clock, logger } = this.#options;
    const { epoch, history } = cache;
    let position = await this.#begin(signal);
    while (!signal.aborted && cache.epoch === epoch) {
      const batch: Change[] = [];
      let next = position;
      for (let set = history.at(next); set !== undefined && batch.length < maxAppending; set = history.at(++next)) {
        if (set === 'overtaken') {
          logger.warn('changes came faster than the bus took them: the history of objects has a hole');
          return;
        }
        batch.push(...set.changes.filter(isKept));
      }
      await this.#append(batch, signal);
      position = next;
      onProgress();
      // The sleep ends early only because of the signal, which ends the loop.
      if (history.at(position) === undefined) await clock.sleep(everyMs, signal).catch(() => undefined);
    }
  }

  /** Where the recording goes on: after the last version that was kept, or with all that the cache knows. */
  async #begin(signal: AbortSignal): Promise<number> {
    const { cache, clusterId } = this.#options;
    const { history } = cache;
    const newest = await this.#stream.newest(signal);
    const last = newest && decodePastVersion(newest);
    if (newest === undefined || last?.clusterId !== clusterId() || last.ended > cache.revision) return history.start;
    const position = history.positionAfter(last.ended - 1n);
    const set = position === undefined ? undefined : history.at(position);
    if (position === undefined || set === undefined || set === 'overtaken') return history.start;
    if (set.revision !== last.ended) return position;
    // Of the changes of one revision, all were kept if the last one was.
    const final = set.changes.findLast(isKept);
    const whole = final !== undefined && historySubject(final.kind, final.newest) === newest.subject;
    return whole ? position + 1 : position;
  }

  /** Throws when the bus did not take all of them. */
  async #append(changes: readonly Change[], signal: AbortSignal): Promise<void> {
    const { clock, clusterId, logger, onVersion } = this.#options;
    const time = new Date(clock.now()).toISOString();
    let failed: unknown;
    // In their order: the connection keeps it.
    const results = await Promise.allSettled(
      changes.map((change) =>
        this.#stream.append(historySubject(change.kind, change.newest), encodePastVersion(change, clusterId(), time)),
      ),
    );
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') onVersion();
      else if (!isApiError(result.reason, 'RequestEntityTooLarge')) failed ??= result.reason;
      else logger.debug({ object: changes[index]?.newest.key }, 'a version is too large for the bus, and is not kept');
    }
    signal.throwIfAborted();
    if (failed !== undefined) throw new ApiError('Unavailable', 'versions could not be kept', { cause: failed });
  }
}
