import { type BackoffOptions, backoffDelayMs, type Clock, type Metrics, onAbort, systemClock } from '@navarch/kit';
import { QueueMetrics } from './queue-metrics.ts';

export interface WorkQueueOptions {
  /** For metrics: the label `queue`. */
  readonly name: string;
  readonly clock?: Clock;
  readonly metrics?: Metrics;
  /** Between failures of one key. Default from 10 ms to 60 s. */
  readonly backoff?: BackoffOptions;
  /** How many keys may be known at once, whatever their state. Default 100,000. */
  readonly capacity?: number;
}

/**
 * Keys waiting for work. A key waits at most once however often it is added, and is never handed out while it is being
 * worked on: added meanwhile, it waits again as soon as that is `done`. First in, first out.
 *
 * The rules are those of client-go's workqueue: https://pkg.go.dev/k8s.io/client-go/util/workqueue
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #backoff: BackoffOptions;
  readonly #capacity: number;
  readonly #metrics: QueueMetrics;
  /** Ready keys, oldest first, with the moment they became so. */
  readonly #ready = new Map<string, number>();
  readonly #inFlight = new Map<string, { readonly sinceMs: number; again: boolean }>();
  readonly #delayed = new Map<string, { readonly atMs: number; readonly timer: Disposable }>();
  readonly #failures = new Map<string, number>();
  readonly #takers = new Set<() => void>();
  #overflowed = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#backoff = options.backoff ?? { baseMs: 10, maxMs: 60_000 };
    this.#capacity = options.capacity ?? 100_000;
    this.#metrics = new QueueMetrics(options.name, options.metrics);
  }

  /** How many keys are ready to be taken. */
  get depth(): number {
    return this.#ready.size;
  }

  /** How many keys are known: ready, delayed or being worked on. */
  get size(): number {
    const delayedOnly = [...this.#delayed.keys()].filter((key) => !this.#inFlight.has(key)).length;
    return this.#ready.size + this.#inFlight.size + delayedOnly;
  }

  /** Whether keys were refused because the queue was full, since this was last asked: then look at everything again. */
  takeOverflow(): boolean {
    const overflowed = this.#overflowed;
    this.#overflowed = false;
    return overflowed;
  }

  /** Has `key` worked on as soon as possible. A delay that it waits for ends. */
  add(key: string): void {
    this.#metrics.added();
    this.#endDelay(key);
    const working = this.#inFlight.get(key);
    if (working) {
      working.again = true;
      return;
    }
    if (this.#ready.has(key) || this.#isFull()) return;
    this.#ready.set(key, this.#clock.monotonicMs());
    this.#metrics.depth(this.#ready.size);
    this.#wakeOne();
  }

  /** `add`s `key` after `ms`; of several delays the one that ends first counts. */
  addAfter(key: string, ms: number): void {
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const atMs = this.#clock.monotonicMs() + ms;
    const delayed = this.#delayed.get(key);
    if (this.#ready.has(key) || (delayed && delayed.atMs <= atMs)) return;
    if (!delayed && !this.#inFlight.has(key) && this.#isFull()) return;
    this.#endDelay(key);
    const timer = this.#clock.timer(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { atMs, timer });
  }

  /** `add`s `key` after a delay that grows with each call until `forget`; returns the delay. */
  retry(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delayMs = backoffDelayMs(failures, this.#backoff);
    this.#metrics.retried();
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** The key's work has succeeded: its next failure is its first. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The key that has waited longest; waits for one. Whoever takes a key calls `done` in the end. Rejects when `signal` aborts. */
  async take(signal: AbortSignal): Promise<string> {
    for (;;) {
      signal.throwIfAborted();
      const next = this.#ready.entries().next();
      if (!next.done) {
        const [key, sinceMs] = next.value;
        const nowMs = this.#clock.monotonicMs();
        this.#ready.delete(key);
        this.#inFlight.set(key, { sinceMs: nowMs, again: false });
        this.#metrics.depth(this.#ready.size);
        this.#metrics.taken(nowMs - sinceMs);
        return key;
      }
      await this.#untilReady(signal);
    }
  }

  /** The work on `key` has ended, well or not. */
  done(key: string): void {
    const working = this.#inFlight.get(key);
    if (!working) return;
    this.#inFlight.delete(key);
    this.#metrics.finished(this.#clock.monotonicMs() - working.sinceMs);
    if (working.again) this.add(key);
  }

  /** Forgets everything that waits. */
  clear(): void {
    for (const key of this.#delayed.keys()) this.#endDelay(key);
    this.#ready.clear();
    this.#failures.clear();
    this.#metrics.depth(0);
  }

  #isFull(): boolean {
    // The exact size costs a walk over the delayed keys, so it is only asked near the limit.
    const atMost = this.#ready.size + this.#inFlight.size + this.#delayed.size;
    if (atMost < this.#capacity || this.size < this.#capacity) return false;
    this.#overflowed = true;
    return true;
  }

  #endDelay(key: string): void {
    this.#delayed.get(key)?.timer[Symbol.dispose]();
    this.#delayed.delete(key);
  }

  #wakeOne(): void {
    for (const wake of this.#takers) {
      this.#takers.delete(wake);
      wake();
      return;
    }
  }

  async #untilReady(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#takers.add(resolve);
    using _aborted = onAbort(signal, resolve);
    await promise;
    this.#takers.delete(resolve);
    // Woken by an abort and by a key at once: the key is for another taker.
    if (signal.aborted && this.#ready.size > 0) this.#wakeOne();
  }
}
