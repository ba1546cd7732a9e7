import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js';
import { type Clock, onAbort } from '@navarch/kit';
import { ApiError, toServiceError } from '@navarch/machinery';
import type { WatchRequest } from '@navarch/proto';
import type { Reader } from '../read/reader.ts';
import type { CallMetrics } from './call-metrics.ts';
import type { WireWatch } from '../wire/responses.ts';
import { authenticate, type Caller } from '../access/caller.ts';
import { asApiError, type Freshen, knowingKinds } from './calls.ts';

/** A reader that takes nothing for so long is taken for dead, although its connection lives. */
const stuckMs = 60_000;

/** The open watches: each is sent as fast as its reader takes it, and ended when the api stops. */
export class WatchStreams {
  readonly #reader: Pick<Reader, 'watch'>;
  readonly #metrics: CallMetrics;
  readonly #clock: Clock;
  readonly #fresh: Freshen;
  readonly #stopped = new AbortController();
  #open = 0;

  constructor(options: { reader: Pick<Reader, 'watch'>; metrics: CallMetrics; clock: Clock; fresh: Freshen }) {
    this.#fresh = options.fresh;
    this.#clock = options.clock;
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

  handler(check: (request: WatchRequest, caller: Caller) => void): handleServerStreamingCall<WatchRequest, WireWatch> {
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
    call: ServerWritableStream<WatchRequest, WireWatch>,
    check: (request: WatchRequest, caller: Caller) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const caller = authenticate(call.metadata);
    const { watcher } = await knowingKinds(this.#fresh, signal, async () => {
      check(call.request, caller);
      return await this.#reader.watch(call.request, signal);
    });
    for (;;) {
      const response = await watcher.next(signal);
      if (!call.write(response)) await drained(call, this.#clock, signal);
    }
  }
}

/** Waits until the reader has taken what was sent. */
async function drained(
  call: ServerWritableStream<WatchRequest, WireWatch>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  call.once('drain', resolve);
  using _abort = onAbort(signal, resolve);
  using _timer = clock.timer(stuckMs, () =>
    reject(new ApiError('Expired', `the reader took nothing for ${stuckMs} ms; list again`)),
  );
  try {
    await promise;
  } finally {
    call.off('drain', resolve);
  }
}
