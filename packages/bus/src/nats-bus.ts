import { abortable, type Logger, onAbort } from '@navarch/kit';
import { ApiError, isApiError, type Reason } from '@navarch/machinery';
import { headers, type Msg, type NatsConnection, NatsError, type Subscription } from 'nats';
import { type EventBus, type EventStream, maxPayloadBytes, type StreamConfig } from './bus.ts';
import { busDown, nobodyAnswers, tooLarge, tooLate } from './bus-errors.ts';
import { MessageQueue } from './message-queue.ts';
import { NatsLink } from './nats-link.ts';
import { NatsStream } from './nats-stream.ts';

export interface NatsBusOptions {
  /** URLs like `nats://127.0.0.1:7430`. */
  readonly servers: readonly string[];
  /** Who we are, for NATS' own monitoring. */
  readonly name: string;
  readonly logger: Logger;
}

/** In a reply: the reason of the ApiError whose message is the payload. */
const errorHeader = 'Navarch-Error';

/** Subscriptions of one bus to one server connection, made anew for each. */
type Attach = (nats: NatsConnection) => Subscription;

/** The EventBus over NATS. */
export class NatsBus implements EventBus {
  readonly #logger: Logger;
  readonly #closed = new AbortController();
  readonly #attached = new Map<Attach, Subscription | undefined>();
  readonly #listeners = new Set<(connected: boolean) => void>();
  readonly #link: NatsLink;
  /** The newest connection; subscriptions go there from before it counts as connected. */
  #newest: NatsConnection | undefined;

  private constructor(options: NatsBusOptions) {
    this.#logger = options.logger;
    this.#link = new NatsLink({
      ...options,
      prepare: (nats) => {
        this.#newest = nats;
        for (const attach of this.#attached.keys()) this.#attached.set(attach, attach(nats));
      },
      onStatus: (connected) => {
        for (const listener of this.#listeners) listener(connected);
      },
    });
  }

  /** Returns at once, connected or not; goes on trying for as long as the bus isn't closed. */
  static connect(options: NatsBusOptions): NatsBus {
    return new NatsBus(options);
  }

  get connected(): boolean {
    return this.#link.current !== undefined && !this.#link.current.nats.isClosed();
  }

  onStatus(listener: (connected: boolean) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    onAbort(signal, () => this.#listeners.delete(listener));
  }

  publish(subject: string, payload: Uint8Array): boolean {
    if (!this.connected || payload.length > maxPayloadBytes) return false;
    this.#link.current?.nats.publish(subject, payload);
    return true;
  }

  subscribe(subject: string, options: { buffer?: number; signal: AbortSignal }) {
    const signal = AbortSignal.any([options.signal, this.#closed.signal]);
    const queue = new MessageQueue({ ...options, signal });
    const detach = this.#attach((nats) =>
      nats.subscribe(subject, {
        callback: (error, message) => {
          if (error) this.#logger.error({ err: error, subject }, 'NATS refused a subscription');
          else queue.push(message.subject, message.data);
        },
      }),
    );
    onAbort(signal, detach);
    return queue.read(detach);
  }

  async request(
    subject: string,
    payload: Uint8Array,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<Uint8Array> {
    if (payload.length > maxPayloadBytes) throw tooLarge(subject, payload.length);
    const open = this.#link.current;
    if (!open) throw busDown();
    const signal = AbortSignal.any([open.lost, ...(options.signal ? [options.signal] : [])]);
    let reply: Msg;
    try {
      reply = await abortable(open.nats.request(subject, payload, { timeout: options.timeoutMs }), signal);
    } catch (error) {
      if (!(error instanceof NatsError)) throw error;
      if (error.code === '503') throw nobodyAnswers(subject);
      if (error.code === 'TIMEOUT') throw tooLate(subject, options.timeoutMs);
      throw busDown(error);
    }
    const reason = reply.headers?.get(errorHeader);
    // Only `respond` below writes this header, and it writes reasons.
    if (reason) throw new ApiError(reason as Reason, reply.string());
    return reply.data;
  }

  respond(subject: string, handler: (payload: Uint8Array) => Promise<Uint8Array>, signal: AbortSignal): void {
    const answer = async (message: Msg) => {
      try {
        message.respond(await handler(message.data));
      } catch (error) {
        const replyHeaders = headers();
        replyHeaders.set(errorHeader, isApiError(error) ? error.reason : 'InternalError');
        message.respond(Buffer.from(error instanceof Error ? error.message : String(error)), { headers: replyHeaders });
      }
    };
    const detach = this.#attach((nats) =>
      nats.subscribe(subject, {
        // Members of a queue group share the messages: each request is answered once.
        queue: 'respond',
        callback: (error, message) => {
          if (error) this.#logger.error({ err: error, subject }, 'NATS refused to pass requests on');
          else
            answer(message).catch((err: unknown) => this.#logger.warn({ err, subject }, 'an answer could not be sent'));
        },
      }),
    );
    onAbort(AbortSignal.any([signal, this.#closed.signal]), detach);
  }

  stream(config: StreamConfig): EventStream {
    return new NatsStream({ config, link: this.#link, bus: this, logger: this.#logger, closed: this.#closed.signal });
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#link.close();
    this.#listeners.clear();
  }

  /** Subscribes now, if there is a connection, and on every later connection, until the returned function is called. */
  #attach(attach: Attach): () => void {
    const nats = this.#newest;
    this.#attached.set(attach, nats && !nats.isClosed() ? attach(nats) : undefined);
    return () => {
      this.#attached.get(attach)?.unsubscribe();
      this.#attached.delete(attach);
    };
  }
}
