import { abortable, Backoff, type Logger, onAbort, systemClock } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import {
  AckPolicy,
  DeliverPolicy,
  type JetStreamManager,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
} from 'nats';
import {
  type EventBus,
  type EventStream,
  type KeptMessage,
  maxPayloadBytes,
  type StreamConfig,
  type StreamMessage,
} from './bus.ts';
import { busDown, notInStream, tooLarge } from './bus-errors.ts';
import type { NatsLink, OpenConnection } from './nats-link.ts';
import { captures } from './subject.ts';

interface NatsStreamOptions {
  readonly config: StreamConfig;
  readonly link: NatsLink;
  readonly bus: EventBus;
  readonly logger: Logger;
  readonly closed: AbortSignal;
}

/** A JetStream stream as it was found or made on one connection. */
interface Found {
  readonly open: OpenConnection;
  readonly manager: JetStreamManager;
  readonly info: StreamInfo;
}

/** Where a reader stands. `created` tells one incarnation of the stream from the next. */
interface Position {
  last: bigint;
  created: string | undefined;
  caughtUp: boolean;
}

const apiTimeoutMs = 2_000;
/** JetStream's codes: https://github.com/nats-io/nats-server/blob/main/server/errors.json */
const streamNameInUse = 10_058;
const noMessageFound = 10_037;
/** So much is asked for, and waits in the process, at a time. */
const fetchSize = 256;
const fetchForMs = 10_000;
const firstFetchesForMs = 1_000;

/** An EventStream in JetStream. */
export class NatsStream implements EventStream {
  readonly #options: NatsStreamOptions;
  #found: { readonly open: OpenConnection; readonly stream: Promise<Found> } | undefined;

  constructor(options: NatsStreamOptions) {
    this.#options = options;
  }

  async append(subject: string, payload: Uint8Array): Promise<bigint> {
    const { config } = this.#options;
    if (!captures(config, subject)) throw notInStream(config, subject);
    if (payload.length > maxPayloadBytes) throw tooLarge(subject, payload.length);
    try {
      return await this.#appendOnce(subject, payload);
    } catch (error) {
      if (!isMissing(error)) throw asUnavailable(error);
    }
    // Nobody took the message, so it is not stored: the stream is gone, as when the server lost its disk.
    this.#found = undefined;
    try {
      return await this.#appendOnce(subject, payload);
    } catch (error) {
      throw asUnavailable(error);
    }
  }

  async #appendOnce(subject: string, payload: Uint8Array): Promise<bigint> {
    const { open } = await this.#find();
    const publish = open.nats.jetstream({ timeout: apiTimeoutMs }).publish(subject, payload, {
      expect: { streamName: this.#options.config.name },
    });
    return BigInt((await abortable(publish, open.lost)).seq);
  }

  async readSubject(subject: string, signal: AbortSignal): Promise<readonly KeptMessage[]> {
    const messages: KeptMessage[] = [];
    for (let next = 1n; ; ) {
      // At or after `next`, on the subject: one of JetStream's own questions, which the library's types know elsewhere.
      const query = { seq: Number(next), next_by_subj: subject };
      const message = await this.#message(query, signal);
      if (message === undefined) return messages;
      messages.push(message);
      next = message.sequence + 1n;
    }
  }

  async newest(signal: AbortSignal): Promise<KeptMessage | undefined> {
    const { open, manager } = await this.#answer(this.#find(), signal);
    const { state } = await this.#answer(abortable(manager.streams.info(this.#options.config.name), open.lost), signal);
    return state.messages === 0 ? undefined : await this.#message({ seq: state.last_seq }, signal);
  }

  /** One kept message; undefined when there is none. */
  async #message(query: { seq: number }, signal: AbortSignal): Promise<KeptMessage | undefined> {
    const { open, manager } = await this.#answer(this.#find(), signal);
    const question = manager.streams.getMessage(this.#options.config.name, query).catch((error: unknown) => {
      if (error instanceof NatsError && error.jsError()?.err_code === noMessageFound) return undefined;
      throw error;
    });
    const found = await this.#answer(abortable(question, open.lost), signal);
    return found && { subject: found.subject, sequence: BigInt(found.seq), payload: found.data };
  }

  /** Any failure of NATS while it was asked is Unavailable. */
  async #answer<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await abortable(answer, signal);
    } catch (error) {
      if (!(error instanceof NatsError)) throw error;
      // The stream may be gone, as when the server lost its disk: the next call makes it again.
      this.#found = undefined;
      throw new ApiError('Unavailable', `NATS could not be asked for what it keeps: ${error.message}`, {
        cause: error,
      });
    }
  }

  async *read(options: { after: bigint; signal: AbortSignal }): AsyncGenerator<StreamMessage, void, void> {
    const { bus, closed, logger, config } = this.#options;
    const signal = AbortSignal.any([options.signal, closed]);
    const backoff = new Backoff({ baseMs: 50, maxMs: 2_000 });
    const position: Position = { last: options.after, created: undefined, caughtUp: false };
    while (!signal.aborted) {
      try {
        await connected(bus, signal);
        for await (const message of this.#readConnection(position, signal)) {
          backoff.reset();
          yield message;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#found = undefined;
        logger.debug({ err: error, stream: config.name }, 'reading a stream was interrupted; going on');
        await systemClock.sleep(backoff.next(), signal).catch(() => {});
      }
    }
  }

  /** Reads on from `position`, moving it, until the connection or the consumer is lost (throws) or `signal` aborts. */
  async *#readConnection(position: Position, signal: AbortSignal): AsyncGenerator<StreamMessage, void, void> {
    const { name } = this.#options.config;
    this.#found = undefined; // what was found before an interruption may be gone
    const { open, manager, info } = await this.#find();
    const replaced = position.created !== undefined && position.created !== info.created;
    if (replaced || BigInt(info.state.last_seq) < position.last) position.last = 0n;
    position.created = info.created;
    const consumer = await manager.consumers.add(name, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Number(position.last) + 1,
      inactive_threshold: nanos(60_000),
      mem_storage: true,
    });
    try {
      if (consumer.num_pending === 0) yield* caughtUp(position);
      yield* this.#readConsumer(open, consumer.name, position, signal);
    } finally {
      // JetStream would forget an idle consumer only after a minute.
      if (!open.lost.aborted) {
        manager.consumers.delete(name, consumer.name).catch((error: unknown) => {
          this.#options.logger.debug({ err: error, stream: name }, 'a consumer was left to time out');
        });
      }
    }
  }

  async *#readConsumer(
    open: OpenConnection,
    consumer: string,
    position: Position,
    signal: AbortSignal,
  ): AsyncGenerator<StreamMessage, void, void> {
    const jetstream = open.nats.jetstream({ timeout: apiTimeoutMs });
    const pull = await jetstream.consumers.get(this.#options.config.name, consumer);
    const ended = AbortSignal.any([signal, open.lost]);
    let delivered = 0;
    while (!ended.aborted) {
      // Not `consume`: it asks for more as messages arrive, not as they are read, so a slow reader's backlog has no bound.
      const expires = position.caughtUp ? fetchForMs : firstFetchesForMs;
      const before = delivered;
      const messages = await pull.fetch({ max_messages: fetchSize, expires });
      using _ended = onAbort(ended, () => messages.stop());
      try {
        for await (const { subject, seq, data, info: delivery } of messages) {
          // A message that got lost on its way leaves a hole here: then start again after the last one we have.
          if (delivery.deliverySequence !== ++delivered) throw busDown();
          position.last = BigInt(seq);
          yield { subject, sequence: position.last, payload: data };
          if (delivery.pending === 0) yield* caughtUp(position);
        }
      } finally {
        messages.stop();
      }
      // What was pending may have expired before it was delivered; then no message tells that it was the last.
      if (delivered === before && !ended.aborted) yield* caughtUp(position);
    }
    open.lost.throwIfAborted();
  }

  /** The stream on the present connection, made or adjusted where needed; asked once a connection. */
  #find(): Promise<Found> {
    const open = this.#options.link.current;
    if (!open) return Promise.reject(busDown());
    if (this.#found?.open !== open) {
      const stream = abortable(this.#ensure(open), open.lost);
      this.#found = { open, stream };
      stream.catch(() => {
        if (this.#found?.stream === stream) this.#found = undefined;
      });
    }
    return this.#found.stream;
  }

  async #ensure(open: OpenConnection): Promise<Found> {
    const { config } = this.#options;
    const manager = await open.nats.jetstreamManager({ timeout: apiTimeoutMs, checkAPI: false });
    const wanted = {
      subjects: [...config.subjects],
      max_age: nanos(config.maxAgeMs ?? 0),
      max_bytes: config.maxBytes,
      max_msgs_per_subject: config.maxPerSubject ?? -1,
    };
    try {
      // Does nothing when the stream is there as wanted.
      const fixed = { name: config.name, retention: RetentionPolicy.Limits, storage: StorageType.File };
      return { open, manager, info: await manager.streams.add({ ...fixed, ...wanted }) };
    } catch (error) {
      if (!(error instanceof NatsError) || error.jsError()?.err_code !== streamNameInUse) throw error;
      return { open, manager, info: await manager.streams.update(config.name, wanted) };
    }
  }
}

function* caughtUp(position: Position): Generator<StreamMessage> {
  if (position.caughtUp) return;
  position.caughtUp = true;
  yield { subject: '', sequence: position.last, payload: undefined };
}

async function connected(bus: EventBus, signal: AbortSignal): Promise<void> {
  if (bus.connected) return;
  const up = Promise.withResolvers<void>();
  const waiting = new AbortController();
  bus.onStatus((now) => {
    if (now) up.resolve();
  }, waiting.signal);
  try {
    await abortable(up.promise, signal);
  } finally {
    waiting.abort();
  }
}

/** Whether `error` means that no stream took the message. */
function isMissing(error: unknown): boolean {
  return error instanceof NatsError && error.code === '503';
}

function asUnavailable(error: unknown): unknown {
  if (!(error instanceof NatsError)) return error;
  if (isMissing(error)) {
    return new ApiError('Unavailable', 'NATS has no JetStream: start nats-server with --jetstream', { cause: error });
  }
  return new ApiError('Unavailable', `the message may not have been stored: ${error.message}`, { cause: error });
}
