import { type Clock, systemClock } from './clock.ts';

export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
  /** Default 2. */
  readonly factor?: number;
  /** The share of each delay that is left to chance, so that many who failed together don't return together. Default 0.2. */
  readonly jitter?: number;
  /** In [0, 1). Default Math.random. */
  readonly random?: () => number;
}

/** Delays that grow from `baseMs` to `maxMs`; each is shortened by up to `jitter` of itself, so `maxMs` is never exceeded. */
export class Backoff {
  readonly #options: Required<BackoffOptions>;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = { factor: 2, jitter: 0.2, random: Math.random, ...options };
  }

  /** How often `next` was called since the last `reset`. */
  get failures(): number {
    return this.#failures;
  }

  /** The delay in milliseconds before the next try. */
  next(): number {
    return backoffDelayMs(this.#failures++, this.#options);
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** The delay after `failures` earlier failures: the pure rule behind `Backoff`. */
export function backoffDelayMs(failures: number, options: BackoffOptions): number {
  const { baseMs, maxMs, factor = 2, jitter = 0.2, random = Math.random } = options;
  const wholeMs = Math.min(maxMs, baseMs * factor ** failures);
  return wholeMs * (1 - jitter * random());
}

export interface RetryOptions {
  readonly backoff: Backoff;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** Hears of each failure and the delay that follows. Throwing from it ends the retries with that error. */
  readonly onError: (error: unknown, delayMs: number) => void;
}

/** Calls `fn` until it succeeds. Rejects only when `signal` aborts (with its reason) or `onError` throws. */
export async function retry<T>(fn: (signal: AbortSignal) => Promise<T>, options: RetryOptions): Promise<T> {
  const { backoff, signal, clock = systemClock, onError } = options;
  for (;;) {
    signal.throwIfAborted();
    try {
      const result = await fn(signal);
      backoff.reset();
      return result;
    } catch (error) {
      signal.throwIfAborted();
      const delayMs = backoff.next();
      onError(error, delayMs);
      await clock.sleep(delayMs, signal);
    }
  }
}
