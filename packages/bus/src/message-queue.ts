import { BoundedQueue } from '@navarch/kit';
import type { BusMessage } from './bus.ts';

const defaultBuffer = 4096;

/** What waits for one subscriber: drops the oldest when full, and tells how many. */
export class MessageQueue {
  readonly #queue: BoundedQueue<{ readonly subject: string; readonly payload: Uint8Array }>;

  constructor(options: { buffer?: number; signal: AbortSignal }) {
    this.#queue = new BoundedQueue({
      capacity: options.buffer ?? defaultBuffer,
      overflow: 'drop-oldest',
      signal: options.signal,
    });
  }

  push(subject: string, payload: Uint8Array): void {
    this.#queue.push({ subject, payload });
  }

  close(): void {
    this.#queue.close();
  }

  /** `onEnd` runs when the reader stops for whatever reason. */
  async *read(onEnd: () => void): AsyncGenerator<BusMessage, void, void> {
    try {
      while (await this.#queue.ready()) {
        for (let message = this.#queue.take(); message; message = this.#queue.take()) {
          yield { ...message, dropped: this.#queue.takeDropped() };
        }
      }
    } finally {
      this.#queue.close();
      onEnd();
    }
  }
}
