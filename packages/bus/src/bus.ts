/**
 * The EventBus contract: fast, lossy messages between processes, and bounded streams that outlive them.
 * NATS stands behind it in production, a map in tests; both pass the suite in `conformance.ts`.
 *
 * The bus is never the truth. It may be down at any time: nothing here blocks or throws for that reason alone, except
 * where a method says so. A bus that was down reconnects by itself, with back-off, and its subscriptions go on.
 *
 * Payloads are not copied everywhere: whoever sends or receives one leaves its bytes as they are.
 */
export interface EventBus {
  /** True while messages flow. By then every subscription is in force at the server. */
  readonly connected: boolean;

  /** Calls `listener` at each change of `connected` until `signal` aborts. */
  onStatus(listener: (connected: boolean) => void, signal: AbortSignal): void;

  /**
   * Sends and forgets. Returns false when the message was dropped: the bus is down, or the payload is larger than
   * `maxPayloadBytes`. True is no promise that anybody got it.
   */
  publish(subject: string, payload: Uint8Array): boolean;

  /**
   * Messages on `subject` (`*` matches one token, `>` the rest) in the order of each publisher, from the call on:
   * also before the first one is read. What is sent while the bus is down is missed.
   * At most `buffer` (default 4096) wait to be read; when more come, the oldest are dropped and counted in `dropped` of
   * the next message. Ends by `signal` or `close`.
   */
  subscribe(subject: string, options: { buffer?: number; signal: AbortSignal }): AsyncIterable<BusMessage>;

  /**
   * Asks one of those who `respond` on `subject`. Throws ApiError('Unavailable') when there is none or the bus is down,
   * 'Timeout' when the answer is late, 'RequestEntityTooLarge' above `maxPayloadBytes`, or what the handler threw.
   */
  request(
    subject: string,
    payload: Uint8Array,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<Uint8Array>;

  /**
   * Answers requests on `subject` until `signal` aborts; of several responders each request reaches one. A handler's
   * ApiError becomes the asker's, any other error an ApiError('InternalError') with its message.
   */
  respond(subject: string, handler: (payload: Uint8Array) => Promise<Uint8Array>, signal: AbortSignal): void;

  /**
   * A stream that keeps messages on disk within limits, made or adjusted when missing. Works once the bus is connected:
   * until then `append` throws ApiError('Unavailable').
   */
  stream(config: StreamConfig): EventStream;

  /** Ends every subscription and frees the connection. Idempotent. */
  close(): Promise<void>;
}

/** The largest payload: NATS' default limit of 1 MiB, less room for headers. */
export const maxPayloadBytes = 1024 * 1024 - 8 * 1024;

export interface BusMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  /** Messages lost just before this one because the reader was slow. */
  readonly dropped: number;
}

export interface StreamConfig {
  /** Letters, digits, `-` and `_`. */
  readonly name: string;
  /** Patterns as in `subscribe`. No two streams may share a subject. */
  readonly subjects: readonly string[];
  /** Messages are kept however old they are when undefined. */
  readonly maxAgeMs?: number;
  readonly maxBytes: number;
  /** Keep only this many of the newest messages of each subject. */
  readonly maxPerSubject?: number;
}

export interface EventStream {
  /**
   * Stores a message; resolves with its sequence once the server has it in its file (it outlives the server's death, not
   * a power cut in the next moments). Throws ApiError('Unavailable') when that is not known: it may be stored or not.
   */
  append(subject: string, payload: Uint8Array): Promise<bigint>;
  /**
   * Every kept message after sequence `after` in order, each once, then new ones as they come; one message with an
   * undefined payload marks the moment when the reader has caught up for the first time. Waits while the bus is down and
   * goes on across reconnects. When the stream itself was lost (its disk wiped), sequences begin anew, and the reader
   * gets the new stream from its start. Ends by `signal` or `close`.
   */
  read(options: { after: bigint; signal: AbortSignal }): AsyncIterable<StreamMessage>;
  /**
   * What is kept on one subject, oldest first: a question for each message, so for streams with `maxPerSubject`. Throws
   * ApiError('Unavailable') while the bus is down.
   */
  readSubject(subject: string, signal: AbortSignal): Promise<readonly KeptMessage[]>;
  /** The message that was stored last, if it is still kept. Throws ApiError('Unavailable') while the bus is down. */
  newest(signal: AbortSignal): Promise<KeptMessage | undefined>;
}

export interface KeptMessage {
  readonly subject: string;
  readonly sequence: bigint;
  readonly payload: Uint8Array;
}

export interface StreamMessage {
  readonly subject: string;
  /** Grows by at least one from message to message. A marker has that of the last message that was read. */
  readonly sequence: bigint;
  readonly payload: Uint8Array | undefined;
}
