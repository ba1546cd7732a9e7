/**
 * The EventBus contract: fast, lossy messages between processes, and bounded streams that outlive them.
 * NATS stands behind it in production, a map in tests; both pass the suite in `conformance.ts`.
 *
 * The bus is never the truth. It may be down at any time: nothing here blocks or throws for that reason alone, except
 * where a method says so. A bus that was down reconnects by itself, with back-off, and its subscriptions go on.
 */
export interface EventBus {
  /** True while messages flow. */
  readonly connected: boolean;

  /** Calls `listener` at each change of `connected` until `signal` aborts. */
  onStatus(listener: (connected: boolean) => void, signal: AbortSignal): void;

  /** Sends and forgets. Returns false when the message was dropped because the bus is down. */
  publish(subject: string, payload: Uint8Array): boolean;

  /**
   * Messages on `subject` (`*` matches one token, `>` the rest) from now on, in the order of each publisher.
   * At most `buffer` (default 4096) wait to be read; when more come, the oldest are dropped and counted in `dropped` of
   * the next message. Ends by `signal`.
   */
  subscribe(subject: string, options: { buffer?: number; signal: AbortSignal }): AsyncIterable<BusMessage>;

  /** Asks the one who `respond`s on `subject`. Throws ApiError('Unavailable') when nobody does, 'Timeout' when late. */
  request(
    subject: string,
    payload: Uint8Array,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<Uint8Array>;

  /** Answers requests on `subject` until `signal` aborts. A handler's error becomes the asker's error. */
  respond(subject: string, handler: (payload: Uint8Array) => Promise<Uint8Array>, signal: AbortSignal): void;

  /**
   * A stream that keeps messages on disk within limits, made or adjusted when missing. Works once the bus is connected:
   * until then `append` throws ApiError('Unavailable').
   */
  stream(config: StreamConfig): EventStream;

  close(): Promise<void>;
}

export interface BusMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  /** Messages lost just before this one because the reader was slow. */
  readonly dropped: number;
}

export interface StreamConfig {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  /** Keep only this many of the newest messages of each subject. */
  readonly maxPerSubject?: number;
}

export interface EventStream {
  /** Stores a message; resolves with its sequence once it is on disk. Throws ApiError('Unavailable') when it is not. */
  append(subject: string, payload: Uint8Array): Promise<bigint>;
  /**
   * Every kept message after sequence `after` in order, then new ones as they come; a message with an undefined payload
   * marks the moment when the reader has caught up. Across reconnects. Ends by `signal`.
   */
  read(options: { after: bigint; signal: AbortSignal }): AsyncIterable<StreamMessage>;
}

export interface StreamMessage {
  readonly subject: string;
  readonly sequence: bigint;
  readonly payload: Uint8Array | undefined;
}
