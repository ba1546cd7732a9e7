import type { ClientDuplexStream } from '@grpc/grpc-js';
import { type Clock, onAbort } from '@navarch/kit';
import type { etcd } from '@navarch/proto';

type WatchCall = ClientDuplexStream<etcd.WatchRequest, etcd.WatchResponse>;

/** So many responses wait for a slow reader here; then the stream stands still and HTTP/2 slows etcd down. */
const capacity = 4;

/** Takes the responses of a watch one by one, with back-pressure, and waits for the next with a time limit. */
export class ResponseReader {
  readonly #call: WatchCall;
  readonly #responses: etcd.WatchResponse[] = [];
  #ended: { readonly error: Error } | undefined;
  #wake: (() => void) | undefined;

  constructor(call: WatchCall) {
    this.#call = call;
    call.on('data', (response: etcd.WatchResponse) => {
      this.#responses.push(response);
      if (this.#responses.length >= capacity) call.pause();
      this.wake();
    });
    call.on('error', (error) => this.#end(error));
    call.on('end', () => this.#end(new Error('the stream ended')));
  }

  /** The next response, or undefined when none has come yet. Throws the stream's error when there are no more. */
  take(): etcd.WatchResponse | undefined {
    const response = this.#responses.shift();
    if (response === undefined && this.#ended) throw this.#ended.error;
    if (this.#responses.length < capacity && this.#call.isPaused()) this.#call.resume();
    return response;
  }

  get empty(): boolean {
    return this.#responses.length === 0;
  }

  /** Waits until there is something to `take`, or `wake`, or `signal`; false when nothing of it came within `ms`. */
  async wait(ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
    if (!this.empty || this.#ended) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const wake = () => resolve(true);
    this.#wake = wake;
    using _timer = clock.timer(ms, () => resolve(false));
    using _listener = onAbort(signal, wake);
    const woken = await promise;
    this.#wake = undefined;
    return woken;
  }

  wake(): void {
    this.#wake?.();
  }

  #end(error: Error): void {
    this.#ended ??= { error };
    this.wake();
  }
}
