import { ApiError } from '@navarch/machinery';
import { onAbort } from './abort.ts';

export interface BoundedQueueOptions {
  /** How many values may wait. */
  readonly capacity: number;
  /**
   * What `push` does when the queue is full:
   * `drop-oldest` makes room; `reject` leaves the new value out; `error` gives the stream up: the reader gets what
   * waits, and then ApiError('TooManyRequests').
   */
  readonly overflow: 'drop-oldest' | 'reject' | 'error';
  /** Ends the iteration at once; what still waits is forgotten. */
  readonly signal?: AbortSignal;
  /** What is streamed, for the overflow error's message. Default 'stream'. */
  readonly what?: string;
}

/**
 * The one buffer between a producer that must not wait and a reader that takes its time. One reader.
 * Breaking out of `for await` closes the queue.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #options: BoundedQueueOptions;
  readonly #items: (T | undefined)[] = [];
  #head = 0;
  #dropped = 0;
  #closed = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  #listener: Disposable | undefined;

  constructor(options: BoundedQueueOptions) {
    this.#options = options;
    if (options.signal) {
      this.#listener = onAbort(options.signal, () => {
        this.#forget();
        this.close();
      });
    }
  }

  /** How many values wait. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Values lost to overflow since this was last called. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** Returns false when a value was lost: this one (closed, `reject`, `error`) or the oldest (`drop-oldest`). */
  push(value: T): boolean {
    if (this.#closed) return false;
    let kept = true;
    if (this.size >= this.#options.capacity) {
      kept = false;
      if (this.#options.overflow === 'error') {
        const { what = 'stream', capacity } = this.#options;
        this.close(
          new ApiError('TooManyRequests', `${what}: the reader fell more than ${capacity} behind; start again`),
        );
        return false;
      }
      this.#dropped++;
      if (this.#options.overflow === 'reject') return false;
      this.#shift();
    }
    this.#items.push(value);
    this.#wake?.();
    return kept;
  }

  /** No more values. The reader gets what waits, then the end, or `error`. Idempotent; the first call counts. */
  close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#listener?.[Symbol.dispose]();
    this.#wake?.();
  }

  /** The oldest value, or undefined when none waits. */
  take(): T | undefined {
    return this.size > 0 ? this.#shift() : undefined;
  }

  /** Everything that waits now, oldest first. */
  takeAll(): T[] {
    const all = this.#items.slice(this.#head) as T[]; // the emptied slots lie before the head
    this.#forget();
    return all;
  }

  /** Waits until `take` has something to give; false when the queue has ended. Rejects with the error it was closed with. */
  async ready(): Promise<boolean> {
    while (this.size === 0) {
      if (this.#closed) {
        if (this.#error !== undefined) throw this.#error;
        return false;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
      this.#wake = undefined;
    }
    return true;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    try {
      while (await this.ready()) {
        while (this.size > 0) yield this.#shift();
      }
    } finally {
      this.#forget();
      this.close();
    }
  }

  #shift(): T {
    const value = this.#items[this.#head] as T; // only called when size > 0
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) this.#forget();
    else if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return value;
  }

  #forget(): void {
    this.#items.length = 0;
    this.#head = 0;
  }
}
