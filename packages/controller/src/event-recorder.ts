import type { Client, ClientWrite, WriteOutcome } from '@navarch/client';
import { event as eventKind, type KindDefinition } from '@navarch/kinds';
import {
  Backoff,
  type Clock,
  type Component,
  type Counter,
  type Logger,
  type Metrics,
  systemClock,
} from '@navarch/kit';
import { isApiError, type KubeObject } from '@navarch/machinery';
import type { Event } from '@navarch/proto';
import { BoundedMap } from './bounded-map.ts';
import type { EventRecorder } from './contracts.ts';
import { EventCorrelator } from './event-correlator.ts';
import { combinedEvent, describeEvent, type Occurrence, occurredAgain } from './event-series.ts';

export interface ApiEventRecorderOptions {
  readonly client: Pick<Client, 'get' | 'transact'>;
  /** Who reports: `scheduler`. */
  readonly component: string;
  /** The node it runs on, where that says something. */
  readonly host?: string;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly metrics?: Metrics;
}

/** How many different events may wait to be sent. */
const capacity = 1000;
/** How many sent ones are remembered, to count on when they occur again. */
const remembered = 4096;
const batchSize = 100;
const batchAfterMs = 100;
const requestTimeoutMs = 10_000;

/**
 * The EventRecorder that writes Events through the api: within 100 ms, up to 100 in one call. The same thing happening to
 * the same object again is not a new Event but a higher count of the old one; many that are alike are combined, and of too many
 * about one object some are left out (see EventCorrelator). Events may be lost: when more than 1000 different ones wait,
 * the oldest goes, and what the api refuses is dropped with a log line.
 */
export class ApiEventRecorder implements EventRecorder, Component {
  readonly name = 'event-recorder';
  readonly #options: ApiEventRecorderOptions;
  readonly #clock: Clock;
  readonly #dropped: Counter<'why'> | undefined;
  /** By name, oldest first: what occurred since it was last sent. */
  readonly #waiting = new Map<string, Occurrence>();
  /** By name: as the api has it. */
  readonly #sent = new BoundedMap<string, Event>(remembered);
  readonly #correlator = new EventCorrelator();
  /** By name: what was too much to tell, and counts once it is told again. */
  readonly #untold = new BoundedMap<string, number>(remembered);
  #somethingWaits = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;

  constructor(options: ApiEventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#dropped = options.metrics?.counter({
      name: 'navarch_events_dropped_total',
      help: 'Events that were not kept.',
      labelNames: ['why'],
    });
  }

  event(kind: KindDefinition, object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { component, host = '' } = this.#options;
    const about = { type, reason, message, component, host };
    const now = this.#clock.now();
    const single = describeEvent(kind, object, about, now);
    const correlated = this.#correlator.take(single, now);
    const described = correlated.combined ? combinedEvent(single) : single;
    const name = described.metadata?.name ?? '';
    const untold = this.#untold.get(name) ?? 0;
    if (!correlated.told) {
      this.#untold.set(name, untold + 1);
      this.#dropped?.inc({ why: 'too many about one object' });
      return;
    }
    this.#untold.delete(name);
    const earlier = this.#waiting.get(name);
    const firstTimestamp = earlier?.event.firstTimestamp ?? described.firstTimestamp;
    const times = (earlier?.times ?? 0) + untold + 1;
    this.#waiting.set(name, { event: { ...described, firstTimestamp }, times });
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > capacity && oldest !== undefined) {
      this.#waiting.delete(oldest);
      this.#dropped?.inc({ why: 'too many wait' });
    }
    this.#somethingWaits.resolve();
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#running = this.#run(signal);
  }

  /** Sends what still waits, once. */
  async stop(): Promise<void> {
    await this.#running;
    try {
      while (this.#waiting.size > 0) await this.#sendBatch();
    } catch (error) {
      this.#options.logger.debug({ err: error, events: this.#waiting.size }, 'events were lost at the end');
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ baseMs: 200, maxMs: 10_000 });
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    while (!signal.aborted) {
      await Promise.race([this.#somethingWaits.promise, stopped]);
      // What belongs together comes together: a moment later one call carries it all.
      await this.#clock.sleep(batchAfterMs / 2, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        while (this.#waiting.size > 0 && !signal.aborted) await this.#sendBatch(signal);
        this.#somethingWaits = Promise.withResolvers<void>();
        backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        const delayMs = backoff.next();
        this.#options.logger.debug(
          { err: error, retryInMs: Math.round(delayMs) },
          'events could not be sent; trying again',
        );
        await this.#clock.sleep(delayMs, signal).catch(() => {});
      }
    }
  }

  /** Throws when the api could not be asked; the events then wait on. */
  async #sendBatch(signal?: AbortSignal): Promise<void> {
    const batch = [...this.#waiting].slice(0, batchSize);
    for (const [name] of batch) this.#waiting.delete(name);
    const events = batch.map(([name, occurrence]) => occurredAgain(this.#sent.get(name), occurrence));
    const writes = events.map(
      (event): ClientWrite => ({
        type: this.#sent.has(event.metadata?.name ?? '') ? 'update' : 'create',
        kind: eventKind,
        object: event,
      }),
    );
    let outcomes: readonly WriteOutcome[];
    try {
      outcomes = await this.#options.client.transact(writes, {
        timeoutMs: requestTimeoutMs,
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      for (const [name, occurrence] of batch) this.#putBack(name, occurrence);
      throw error;
    }
    for (const [index, [name, occurrence]] of batch.entries()) {
      const event = events[index];
      const outcome = outcomes[index];
      if (event && outcome?.ok) this.#sent.set(name, event);
      else if (outcome && !outcome.ok)
        await this.#refused(name, occurrence, outcome.error.reason, outcome.error.message);
    }
  }

  async #refused(name: string, occurrence: Occurrence, reason: string, message: string): Promise<void> {
    if (reason === 'NotFound' && this.#sent.delete(name)) {
      this.#putBack(name, occurrence); // it had expired: begin anew
    } else if (reason === 'AlreadyExists' && !this.#sent.has(name)) {
      await this.#learn(name, occurrence.event.metadata?.namespace ?? ''); // we were started anew: count on
      if (this.#sent.has(name)) this.#putBack(name, occurrence);
    } else {
      this.#dropped?.inc({ why: 'refused' });
      this.#options.logger.warn({ event: name, reason, message }, 'the api refused an event');
    }
  }

  async #learn(name: string, namespace: string): Promise<void> {
    try {
      const known = await this.#options.client.get<Event>(
        eventKind,
        { namespace, name },
        { timeoutMs: requestTimeoutMs },
      );
      this.#sent.set(name, known);
    } catch (error) {
      this.#dropped?.inc({ why: 'unknown count' });
      if (!isApiError(error, 'NotFound')) this.#options.logger.debug({ err: error, event: name }, 'an event was lost');
    }
  }

  #putBack(name: string, occurrence: Occurrence): void {
    const newer = this.#waiting.get(name);
    this.#waiting.set(name, newer ? { ...newer, times: newer.times + occurrence.times } : occurrence);
    this.#somethingWaits.resolve();
  }
}
