import type { Client, ClientWrite, WriteOutcome } from '@navarch/client';
import { Backoff, type Clock, type Logger } from '@navarch/kit';
import { trouble } from '../trouble.ts';

/** The api takes at most this many writes in one call. */
const mostWrites = 100;

interface Waiting {
  /** Of the object written: no two writes to one object travel together. */
  readonly key: string;
  readonly write: ClientWrite;
  readonly settle: PromiseWithResolvers<WriteOutcome>;
}

/**
 * Gathers what the Pods of a node have to write into few calls: while one is under way the next is filled, and a lone
 * write goes at once. While the api can't be reached everything waits here, one entry a Pod, and is tried again.
 */
export class ApiWriter {
  readonly #options: { client: Pick<Client, 'transact'>; clock: Clock; logger: Logger; signal: AbortSignal };
  #waiting: Waiting[] = [];
  #running = false;

  constructor(options: { client: Pick<Client, 'transact'>; clock: Clock; logger: Logger; signal: AbortSignal }) {
    this.#options = options;
  }

  /** Resolves with what became of the write, however long the api takes to be there. Rejects only by the signal. */
  submit(key: string, write: ClientWrite): Promise<WriteOutcome> {
    const settle = Promise.withResolvers<WriteOutcome>();
    this.#waiting.push({ key, write, settle });
    if (!this.#running) void this.#drain();
    return settle.promise;
  }

  async #drain(): Promise<void> {
    this.#running = true;
    const backoff = new Backoff({ baseMs: 100, maxMs: 5_000 });
    const { client, clock, logger, signal } = this.#options;
    // Writes of the same turn of the event loop belong together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        signal.throwIfAborted();
        const outcomes = await client.transact(
          batch.map(({ write }) => write),
          { signal },
        );
        batch.forEach(({ settle }, index) => {
          const outcome = outcomes[index];
          if (outcome) settle.resolve(outcome);
          else settle.reject(new Error('the api answered fewer writes than it was sent'));
        });
        backoff.reset();
      } catch (error) {
        if (signal.aborted) {
          for (const { settle } of [...batch, ...this.#waiting]) settle.reject(signal.reason);
          this.#waiting = [];
          break;
        }
        this.#waiting = [...batch, ...this.#waiting];
        const delayMs = backoff.next();
        const fields = { ...trouble(error), delayMs, writes: batch.length };
        logger.warn(fields, "could not write Pods' status; trying again");
        await clock.sleep(delayMs, signal).catch(() => undefined);
      }
    }
    this.#running = false;
  }

  #take(): Waiting[] {
    const keys = new Set<string>();
    const batch: Waiting[] = [];
    const rest: Waiting[] = [];
    for (const entry of this.#waiting) {
      if (batch.length < mostWrites && !keys.has(entry.key)) batch.push(entry);
      else rest.push(entry);
      keys.add(entry.key);
    }
    this.#waiting = rest;
    return batch;
  }
}
