import { abortable, type Clock, onAbort, systemClock } from '@navarch/kit';
import { ApiError, isApiError } from '@navarch/machinery';
import { type EventBus, type EventStream, maxPayloadBytes, type StreamConfig } from './bus.ts';
import { busDown, nobodyAnswers, notInStream, tooLarge, tooLate } from './bus-errors.ts';
import { MemoryStream } from './memory-stream.ts';
import { MessageQueue } from './message-queue.ts';
import { captures, matches } from './subject.ts';

type Handler = (payload: Uint8Array) => Promise<Uint8Array>;

interface Registered<T> {
  readonly bus: MemoryBus;
  readonly subject: string;
  readonly target: T;
}

/** The server that the `MemoryBus`es of one process share. For tests and simulation. */
export class MemoryHub {
  readonly clock: Clock;
  readonly buses = new Set<MemoryBus>();
  readonly subscribers = new Set<Registered<MessageQueue>>();
  readonly responders = new Set<Registered<Handler>>();
  readonly streams = new Map<string, MemoryStream>();
  #up = true;

  constructor(options: { clock?: Clock } = {}) {
    this.clock = options.clock ?? systemClock;
  }

  get up(): boolean {
    return this.#up;
  }

  connect(): MemoryBus {
    const bus = new MemoryBus(this);
    this.buses.add(bus);
    return bus;
  }

  /** As if the server died: every bus is down until `start`. Streams are kept. */
  stop(): void {
    this.#up = false;
    for (const bus of this.buses) bus.tell();
  }

  start(): void {
    this.#up = true;
    for (const bus of this.buses) bus.tell();
  }

  /** As if the server's disk was lost. Only while stopped. */
  wipe(): void {
    for (const stream of this.streams.values()) stream.wipe();
  }

  deliver(subject: string, payload: Uint8Array): bigint | undefined {
    for (const { bus, subject: pattern, target } of this.subscribers) {
      if (bus.connected && matches(pattern, subject)) target.push(subject, payload);
    }
    const stream = [...this.streams.values()].find(({ config }) => captures(config, subject));
    return stream?.append(subject, payload);
  }
}

/** An EventBus without a server: clients of one `MemoryHub` hear each other. `disconnect` simulates an outage. */
export class MemoryBus implements EventBus {
  readonly #hub: MemoryHub;
  readonly #closed = new AbortController();
  readonly #listeners = new Set<(connected: boolean) => void>();
  #attached = true;
  #told = true;

  constructor(hub: MemoryHub) {
    this.#hub = hub;
    this.#told = hub.up;
  }

  get connected(): boolean {
    return this.#attached && this.#hub.up && !this.#closed.signal.aborted;
  }

  disconnect(): void {
    this.#attached = false;
    this.tell();
  }

  reconnect(): void {
    this.#attached = true;
    this.tell();
  }

  /** Tells the listeners when `connected` has changed since they last heard. */
  tell(): void {
    if (this.connected === this.#told) return;
    this.#told = this.connected;
    for (const listener of this.#listeners) listener(this.#told);
  }

  onStatus(listener: (connected: boolean) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    onAbort(signal, () => this.#listeners.delete(listener));
  }

  publish(subject: string, payload: Uint8Array): boolean {
    if (!this.connected || payload.length > maxPayloadBytes) return false;
    this.#hub.deliver(subject, payload);
    return true;
  }

  subscribe(subject: string, options: { buffer?: number; signal: AbortSignal }) {
    const signal = AbortSignal.any([options.signal, this.#closed.signal]);
    const queue = new MessageQueue({ ...options, signal });
    const entry = { bus: this, subject, target: queue };
    this.#hub.subscribers.add(entry);
    onAbort(signal, () => this.#hub.subscribers.delete(entry));
    return queue.read(() => this.#hub.subscribers.delete(entry));
  }

  async request(
    subject: string,
    payload: Uint8Array,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<Uint8Array> {
    if (payload.length > maxPayloadBytes) throw tooLarge(subject, payload.length);
    const responder = [...this.#hub.responders].find((entry) => entry.bus.connected && entry.subject === subject);
    if (!this.connected) throw busDown();
    if (!responder) throw nobodyAnswers(subject);
    const late = new AbortController();
    using _timer = this.#hub.clock.timer(options.timeoutMs, () => late.abort(tooLate(subject, options.timeoutMs)));
    const signal = AbortSignal.any([late.signal, ...(options.signal ? [options.signal] : [])]);
    try {
      return await abortable(responder.target(payload), signal);
    } catch (error) {
      if (signal.aborted || isApiError(error)) throw error;
      throw new ApiError('InternalError', error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  respond(subject: string, handler: Handler, signal: AbortSignal): void {
    const entry = { bus: this, subject, target: handler };
    this.#hub.responders.add(entry);
    onAbort(AbortSignal.any([signal, this.#closed.signal]), () => this.#hub.responders.delete(entry));
  }

  stream(config: StreamConfig): EventStream {
    const stream = this.#hub.streams.get(config.name) ?? new MemoryStream(this.#hub.clock);
    this.#hub.streams.set(config.name, stream);
    stream.adjust(config);
    return {
      append: async (subject, payload) => {
        if (!captures(config, subject)) throw notInStream(config, subject);
        if (payload.length > maxPayloadBytes) throw tooLarge(subject, payload.length);
        const sequence = this.connected ? this.#hub.deliver(subject, payload) : undefined;
        if (sequence === undefined) throw busDown();
        return sequence;
      },
      readSubject: async (subject) => {
        if (!this.connected) throw busDown();
        return stream.onSubject(subject);
      },
      newest: async () => {
        if (!this.connected) throw busDown();
        return stream.newest();
      },
      read: ({ after, signal }) => stream.read(this, { after, signal: AbortSignal.any([signal, this.#closed.signal]) }),
    };
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.tell();
    this.#listeners.clear();
    this.#hub.buses.delete(this);
  }
}
