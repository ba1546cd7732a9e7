import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js';
import { onAbort } from '@navarch/kit';
import { ApiError, toServiceError } from '@navarch/machinery';
import type { WatchRequest } from '@navarch/proto';
import type { Reader } from '../read/reader.ts';
import type { CallMetrics } from './call-metrics.ts';
import { asApiError } from './calls.ts';

/** The open watches: each is sent as fast as its reader takes it, and ended when the api stops. */
export class WatchStreams {
  readonly #reader: Reader;
  readonly #metrics: CallMetrics;
  readonly #stopped = new AbortController();
  #open = 0;

  constructor(options: { reader: Reader; metrics: CallMetrics }) {
    this.#reader = options.reader;
    this.#metrics = options.metrics;
  }

  /** How many watches are open. */
  get open(): number {
    return this.#open;
  }

  /** Ends all of them: their readers go on elsewhere, or here when the api is back. */
  stop(): void {
    this.#stopped.abort(new ApiError('Unavailable', 'the api is stopping; connect again'));
  }

  handler(check: (request: WatchRequest) => void): handleServerStreamingCall<WatchRequest, Buffer> {
    return (call) => {
      const done = this.#metrics.started('Watch', { timed: false });
      const cancelled = new AbortController();
      call.on('cancelled', () => cancelled.abort(new ApiError('Cancelled', 'the reader went away')));
      const signal = AbortSignal.any([cancelled.signal, this.#stopped.signal]);
      this.#open++;
      void this.#serve(call, check, signal)
        .catch((error: unknown) => asApiError(error, signal))
        .then((error) => {
          this.#open--;
          done(error instanceof ApiError ? error : undefined);
          if (error instanceof ApiError) call.emit('error', toServiceError(error));
          else call.end();
        });
    };
  }

  async #serve(
    call: ServerWritableStream<WatchRequest, Buffer>,
    check: (request: WatchRequest) => void,
    signal: AbortSignal,
  ): Promise<void> {
    check(call.request);
    const { watcher } = await this.#reader.watch(call.request, signal);
    for (;;) {
      const response = await watcher.next(signal);
      if (!call.write(response)) await drained(call, signal);
    }
  }
}

/** Waits until the reader has taken what was sent. */
async function drained(call: ServerWritableStream<WatchRequest, Buffer>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  call.once('drain', resolve);
  using _abort = onAbort(signal, resolve);
  await promise;
  call.off('drain', resolve);
}
