import type { EventBus, EventStream } from '@navarch/bus';
import { subject, tokensOf } from '@navarch/bus';
import { event as eventKind } from '@navarch/kinds';
import { Backoff, type Clock, type Component, type Logger, retry } from '@navarch/kit';
import { isApiError } from '@navarch/machinery';
import { type Conflict, holds, type Store, type Transaction, type TransactionResult } from '@navarch/store';
import { CachedObject } from '../cache/cached-object.ts';
import { ObjectCache, type Update } from '../cache/object-cache.ts';
import type { ObjectSource } from '../read/source.ts';
import { open } from '../storage/envelope.ts';
import { parseStorageKey, storageKey } from '../storage/keys.ts';
import { Echoes } from './echoes.ts';
import { type EventLimits, EventRetention } from './event-retention.ts';

const defaultLimits: EventLimits = { maxAgeMs: 3_600_000, maxBytes: 64 * 1024 * 1024 };
const sweepMs = 10_000;
/** Messages on their way to the stream at once. More are left out of it: losing some is no harm, waiting would be. */
const maxAppending = 1024;

/**
 * Where Events are kept: in a stream on the bus, for a while, instead of in the store. What can be read is a view in
 * memory, filled from the stream and, so that it also works while the bus is down, directly by what is written here.
 *
 * Its revisions are its own: they begin with the time of the start in microseconds, so that they only ever grow, and that
 * those of an earlier life are Expired.
 */
export class EventSource implements ObjectSource, Component {
  readonly name = 'events';
  readonly cache: ObjectCache;
  readonly #bus: EventBus;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #retention: EventRetention;
  readonly #limits: EventLimits;
  readonly #echoes = new Echoes();
  #stream: EventStream | undefined;
  #revision: bigint;
  #appending = 0;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: { bus: EventBus; clock: Clock; logger: Logger; limits?: EventLimits }) {
    this.#bus = options.bus;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#limits = options.limits ?? defaultLimits;
    this.#retention = new EventRetention(this.#limits);
    this.cache = new ObjectCache({ maxBytes: 16 * 1024 * 1024, maxChanges: 20_000 });
    this.#revision = BigInt(this.#clock.now()) * 1000n;
    this.cache.reset([], this.#revision);
  }

  async fresh(): Promise<bigint> {
    return this.#revision;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#running = Promise.all([this.#follow(signal), this.#sweep(signal)]);
  }

  async stop(): Promise<void> {
    await this.#running;
  }

  /** As a store's, but takes effect in the very call, and reaches the stream when the bus is up. */
  readonly commit: Store['commit'] = async ({ compare, ops }: Transaction): Promise<TransactionResult> => {
    const conflicts: Conflict[] = [];
    for (const each of compare) {
      if (!holds(each, this.#get(each.key)?.revision ?? 0n)) conflicts.push({ key: each.key, entry: undefined });
    }
    if (conflicts.length > 0) return { committed: false, revision: this.#revision, conflicts };
    const revision = this.#apply(ops.map((op) => ({ key: op.key, value: op.type === 'put' ? op.value : undefined })));
    for (const op of ops) this.#append(op.key, op.type === 'put' ? op.value : new Uint8Array());
    return { committed: true, revision };
  };

  readonly commitEach: Store['commitEach'] = (transactions) =>
    Promise.allSettled(transactions.map((transaction) => this.commit(transaction)));

  #get(key: string): CachedObject | undefined {
    const parsed = parseStorageKey(key);
    return parsed && this.cache.get(eventKind, parsed.namespace, parsed.name);
  }

  #apply(values: readonly { readonly key: string; readonly value: Uint8Array | undefined }[]): bigint {
    this.#revision++;
    const updates = values.flatMap(({ key, value }): Update[] => {
      const parsed = parseStorageKey(key);
      if (parsed === undefined) return [];
      const about = { kind: eventKind, namespace: parsed.namespace, name: parsed.name };
      if (value === undefined) {
        this.#retention.delete(key);
        return [{ ...about, object: undefined }];
      }
      const object = new CachedObject({ ...about, key, revision: this.#revision }, open(value));
      this.#retention.add(key, object.wire.length, this.#clock.now());
      return [{ ...about, object }];
    });
    this.cache.apply(this.#revision, updates);
    for (const key of this.#retention.overflow()) this.#apply([{ key, value: undefined }]);
    return this.#revision;
  }

  #append(key: string, value: Uint8Array): void {
    const parsed = parseStorageKey(key);
    if (this.#stream === undefined || parsed === undefined || !this.#bus.connected) return;
    if (this.#appending >= maxAppending) return;
    this.#appending++;
    this.#echoes.expect(key, value);
    this.#stream
      .append(subject('events', parsed.namespace, parsed.name), value)
      .catch((error: unknown) => {
        this.#echoes.forget(key, value);
        this.#logger.debug({ err: error }, 'an event did not reach the stream');
      })
      .finally(() => this.#appending--);
  }

  /** Takes what other replicas, and earlier lives of this one, have written. */
  async #follow(signal: AbortSignal): Promise<void> {
    const follow = async (signal: AbortSignal) => {
      this.#stream = this.#bus.stream({
        name: 'navarch-events',
        subjects: ['navarch.events.>'],
        maxAgeMs: this.#limits.maxAgeMs,
        maxBytes: this.#limits.maxBytes,
        maxPerSubject: 1,
      });
      for await (const { subject, payload } of this.#stream.read({ after: 0n, signal })) {
        if (payload !== undefined) this.#take(subject, payload);
      }
      signal.throwIfAborted();
      throw new Error('the stream of events ended');
    };
    await retry(follow, {
      backoff: new Backoff({ baseMs: 200, maxMs: 5_000 }),
      signal,
      onError: (error, delayMs) => this.#logger.warn({ err: error, delayMs }, 'the stream of events can not be read'),
    }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  #take(subject: string, payload: Uint8Array): void {
    const [, namespace, name] = tokensOf(subject) ?? [];
    if (namespace === undefined || name === undefined) return;
    const key = storageKey(eventKind, { namespace, name });
    if (this.#echoes.isStale(key, payload)) return;
    const known = this.#get(key);
    try {
      if (payload.length === 0) {
        if (known !== undefined) this.#apply([{ key, value: undefined }]);
      } else if (known === undefined || !known.body.equals(open(payload))) {
        // What this replica has written itself comes back, and is known by its bytes.
        this.#apply([{ key, value: payload }]);
      }
    } catch (error) {
      this.#logger.warn({ err: error, subject }, 'an event in the stream can not be read');
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(sweepMs, signal);
      } catch (error) {
        if (signal.aborted || isApiError(error)) return;
        throw error;
      }
      const old = this.#retention.olderThan(this.#clock.now() - this.#limits.maxAgeMs);
      if (old.length > 0) this.#apply(old.map((key) => ({ key, value: undefined })));
    }
  }
}
