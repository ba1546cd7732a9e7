import { onAbort } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';

/**
 * One question for all who wait for the answer. An answer only counts for those who asked before the question was sent:
 * whoever comes later shares the next one, so that each gets something at least as new as his call.
 */
export class SharedQuestion<T> {
  readonly #ask: () => Promise<T>;
  /** Under way: too late to join. */
  #current: Promise<T> | undefined;
  /** Sent as soon as the current one is answered. */
  #next: Promise<T> | undefined;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  async answer(signal?: AbortSignal): Promise<T> {
    const shared = this.#join();
    if (!signal) return await shared;
    const { promise, reject } = Promise.withResolvers<never>();
    using _listener = onAbort(signal, () => {
      reject(new ApiError('Cancelled', 'the call was cancelled', { cause: signal.reason }));
    });
    return await Promise.race([shared, promise]);
  }

  #join(): Promise<T> {
    this.#next ??= this.#afterCurrent();
    return this.#next;
  }

  async #afterCurrent(): Promise<T> {
    // Also without a current one it is sent after this turn of the microtask queue, so that those of the same turn join.
    await this.#current?.catch(() => {}); // its own askers hear of its failure
    this.#current = this.#next;
    this.#next = undefined;
    try {
      return await this.#ask();
    } finally {
      if (!this.#next) this.#current = undefined;
    }
  }
}
