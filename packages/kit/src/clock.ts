/**
 * Time as a part that can be replaced. Shells (queues, loops, elections) take a Clock; pure decisions take `now`.
 */
export interface Clock {
  /** Wall time in whole milliseconds since the epoch: for timestamps that others read. It may jump. */
  now(): number;
  /** Milliseconds since some fixed moment, never going back: for durations and deadlines. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fn` once after `ms`, unless disposed before. Never keeps the process alive by itself. */
  timer(ms: number, fn: () => void): Disposable;
}

/** setTimeout's limit; a longer delay would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => sleepWith(ms, signal, (delay, fn) => disposableTimeout(delay, fn)),
  timer: (ms, fn) => disposableTimeout(ms, fn, (timeout) => timeout.unref()),
};

function disposableTimeout(ms: number, fn: () => void, prepare?: (timeout: NodeJS.Timeout) => void): Disposable {
  const timeout = setTimeout(fn, Math.min(Math.max(ms, 0), longestTimerMs));
  prepare?.(timeout);
  return { [Symbol.dispose]: () => clearTimeout(timeout) };
}

/** A clock that stands still until `advance`d. For tests and simulation. */
export class VirtualClock implements Clock {
  #nowMs: number;
  #elapsedMs = 0;
  #sequence = 0;
  readonly #timers = new Set<{ readonly at: number; readonly sequence: number; readonly fn: () => void }>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return Math.floor(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(ms, signal, (delay, fn) => this.timer(delay, fn));
  }

  timer(ms: number, fn: () => void): Disposable {
    const timer = { at: this.#elapsedMs + Math.max(ms, 0), sequence: this.#sequence++, fn };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  /** How many timers and sleeps are waiting. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Moves time on by `ms`, firing what falls due in order, each at its own moment. Between two firings the promises
   * that the first one resolved get to run, so that a loop of sleeps takes as many turns as it would in real time.
   */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsedMs + ms;
    await settle();
    for (let next = this.#due(until); next !== undefined; next = this.#due(until)) {
      this.#timers.delete(next);
      this.#moveTo(next.at);
      next.fn();
      await settle();
    }
    this.#moveTo(until);
    await settle();
  }

  #moveTo(elapsedMs: number): void {
    if (elapsedMs <= this.#elapsedMs) return;
    this.#nowMs += elapsedMs - this.#elapsedMs;
    this.#elapsedMs = elapsedMs;
  }

  #due(until: number) {
    let first: { readonly at: number; readonly sequence: number; readonly fn: () => void } | undefined;
    for (const timer of this.#timers) {
      if (timer.at > until) continue;
      if (!first || timer.at < first.at || (timer.at === first.at && timer.sequence < first.sequence)) first = timer;
    }
    return first;
  }
}

function sleepWith(
  ms: number,
  signal: AbortSignal | undefined,
  timer: (ms: number, fn: () => void) => Disposable,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      pending[Symbol.dispose]();
      reject(signal?.reason);
    };
    const pending = timer(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Lets every promise that can go on do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
