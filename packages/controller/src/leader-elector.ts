import type { Client } from '@navarch/client';
import { lease as leaseKind } from '@navarch/kinds';
import { Backoff, type Clock, type Gauge, linkSignals, type Logger, type Metrics, systemClock } from '@navarch/kit';
import { isApiError, type Live } from '@navarch/machinery';
import type { Lease } from '@navarch/proto';
import { givenBack, mayTake, renewed, taken } from './lease-rules.ts';
import { Term } from './term.ts';

export interface LeaderElectorOptions {
  readonly client: LeaseClient;
  /** The Lease: one for each thing that only one process may do at a time. */
  readonly name: string;
  /** Default `navarch-system`. */
  readonly namespace?: string;
  /** Who we are: different for every process that ever lived, so a random part belongs to it. */
  readonly identity: string;
  /** How long a leader that falls silent keeps others waiting, in whole seconds. Default 8 s. */
  readonly leaseMs?: number;
  /** A leader that could not renew for this long stops; shorter than `leaseMs`, so that it has stopped before another starts. Default 5 s. */
  readonly renewDeadlineMs?: number;
  /** How often a leader renews and a candidate looks. Default 1 s. */
  readonly retryMs?: number;
  readonly clock?: Clock;
  readonly logger: Logger;
  readonly metrics?: Metrics;
}

/** What an election needs of the api. */
export type LeaseClient = Pick<Client, 'get' | 'create' | 'update' | 'watch'>;

/**
 * Lets one of several processes lead: the one that holds a Lease. The rules and durations are client-go's
 * (https://pkg.go.dev/k8s.io/client-go/tools/leaderelection): a candidate trusts only its own clock, counting from when it
 * saw the Lease change last. Two things are added: a leader that is paused past its deadline finds its term ended when it
 * wakes, and its writes carry a fence, so that one which it had already sent is refused by the api.
 */
export class LeaderElector {
  readonly #client: LeaseClient;
  readonly #key: { readonly namespace: string; readonly name: string };
  readonly #identity: string;
  readonly #leaseMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #leads: Gauge<'lease'> | undefined;
  #term: Term | undefined;

  constructor(options: LeaderElectorOptions) {
    this.#client = options.client;
    this.#key = { namespace: options.namespace ?? 'navarch-system', name: options.name };
    this.#identity = options.identity;
    this.#leaseMs = options.leaseMs ?? 8_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 5_000;
    this.#retryMs = options.retryMs ?? 1_000;
    if (this.#renewDeadlineMs >= this.#leaseMs || this.#retryMs >= this.#renewDeadlineMs) {
      throw new Error('an election needs retryMs < renewDeadlineMs < leaseMs');
    }
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger;
    this.#leads = options.metrics?.gauge({
      name: 'navarch_leader',
      help: 'Whether this process holds the lease.',
      labelNames: ['lease'],
    });
    this.#leads?.set({ lease: options.name }, 0);
  }

  get leading(): boolean {
    return this.#term !== undefined && !this.#term.signal.aborted;
  }

  /**
   * Whenever this process becomes the leader, calls `lead`, which works until its term's signal aborts. When `signal`
   * aborts, waits for `lead` to end and gives the Lease back, so that a successor need not wait. Returns then, or when
   * `lead` returns by itself; rejects with what `lead` throws.
   */
  async run(lead: (term: Term) => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const term = await this.#acquire(signal).catch((error: unknown) => {
        if (signal.aborted) return undefined;
        throw error;
      });
      if (!term) return;
      const finished = await this.#serve(term, lead, signal);
      if (finished) return;
    }
  }

  /** One term, from taking office to leaving it. True when there shall be no other. */
  async #serve(term: Term, lead: (term: Term) => Promise<void>, signal: AbortSignal): Promise<boolean> {
    this.#logger.info({ lease: this.#key.name, identity: this.#identity }, 'became the leader');
    this.#term = term;
    this.#leads?.set({ lease: this.#key.name }, 1);
    const office = linkSignals(signal, term.signal);
    const keeping = this.#keep(term, office.signal);
    const stop = () => term.end('this process is stopping');
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      await lead(term);
      return signal.aborted || !term.signal.aborted;
    } finally {
      signal.removeEventListener('abort', stop);
      const lost = term.lost;
      term.end('its work is done');
      office.abort();
      await keeping;
      this.#term = undefined;
      this.#leads?.set({ lease: this.#key.name }, 0);
      if (lost) this.#logger.warn({ lease: this.#key.name, why: lost }, 'no longer the leader');
      else await this.#giveBack(term.lease);
    }
  }

  async #acquire(signal: AbortSignal): Promise<Term> {
    let seen: { readonly version: string; readonly atMs: number } | undefined;
    const backoff = new Backoff({ baseMs: this.#retryMs, maxMs: this.#retryMs });
    const waiting = linkSignals(signal);
    const changes = new LeaseChanges();
    const watching = this.#watch(changes, waiting.signal);
    try {
      for (;;) {
        signal.throwIfAborted();
        const change = changes.next();
        try {
          const current = await this.#read(signal);
          const version = current?.metadata.resourceVersion ?? '';
          if (seen?.version !== version) seen = { version, atMs: this.#clock.monotonicMs() };
          if (mayTake(current, this.#identity, this.#clock.monotonicMs() - seen.atMs))
            return await this.#take(current, signal);
        } catch (error) {
          signal.throwIfAborted();
          const fields = { err: error, lease: this.#key.name };
          if (isApiError(error, 'Conflict', 'AlreadyExists')) this.#logger.debug(fields, 'another took the lease');
          else this.#logger.warn(fields, 'cannot reach the lease; trying again');
        }
        await change.orAfter(this.#clock, backoff.next(), signal);
      }
    } finally {
      waiting.abort();
      await watching;
    }
  }

  async #take(current: Live<Lease> | undefined, signal: AbortSignal): Promise<Term> {
    const sentMs = this.#clock.monotonicMs();
    const wanted = taken(current, this.#key, this.#identity, this.#leaseMs, this.#clock.now());
    const options = { signal, timeoutMs: this.#renewDeadlineMs };
    const lease = current
      ? await this.#client.update(leaseKind, wanted, options)
      : await this.#client.create(leaseKind, wanted, options);
    return new Term({ lease, sentMs, identity: this.#identity, deadlineMs: this.#renewDeadlineMs, clock: this.#clock });
  }

  /** Renews until `signal` aborts or the term is lost. */
  async #keep(term: Term, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(this.#retryMs, signal);
        const sentMs = this.#clock.monotonicMs();
        const options = { signal, timeoutMs: this.#renewDeadlineMs };
        const lease = await this.#client.update(leaseKind, renewed(term.lease, this.#clock.now()), options);
        term.renewed(lease, sentMs);
      } catch (error) {
        if (signal.aborted) return;
        if (isApiError(error, 'NotFound')) term.lose('the lease was deleted');
        else if (isApiError(error, 'Conflict')) await this.#lookAgain(term, signal);
        else this.#logger.warn({ err: error, lease: this.#key.name }, 'cannot renew the lease; trying again');
      }
    }
  }

  /** Somebody else has written the lease, or an earlier renewal of ours that failed was done after all. */
  async #lookAgain(term: Term, signal: AbortSignal): Promise<void> {
    try {
      const current = await this.#read(signal);
      if (current && term.isOf(current)) term.refresh(current);
      else term.lose(`${current?.spec.holderIdentity || 'nobody'} holds the lease`);
    } catch (error) {
      if (!signal.aborted)
        this.#logger.warn({ err: error, lease: this.#key.name }, 'cannot read the lease; trying again');
    }
  }

  async #giveBack(lease: Live<Lease>): Promise<void> {
    try {
      await this.#client.update(leaseKind, givenBack(lease, this.#clock.now()), { timeoutMs: this.#retryMs });
      this.#logger.info({ lease: this.#key.name }, 'gave the lease back');
    } catch (error) {
      this.#logger.warn({ err: error, lease: this.#key.name }, 'could not give the lease back; it will run out');
    }
  }

  async #read(signal: AbortSignal): Promise<Live<Lease> | undefined> {
    try {
      return await this.#client.get(leaseKind, this.#key, { signal, timeoutMs: this.#renewDeadlineMs });
    } catch (error) {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  /** Tells a waiting candidate of each change, so that a lease that was given back is taken at once. */
  async #watch(changes: LeaseChanges, signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ baseMs: this.#retryMs, maxMs: 30_000 });
    const { namespace, name } = this.#key;
    while (!signal.aborted) {
      try {
        const fieldSelector = `metadata.name=${name}`;
        for await (const { events } of this.#client.watch(leaseKind, { namespace, fieldSelector, signal })) {
          backoff.reset();
          if (events.length > 0) changes.tell();
        }
      } catch (error) {
        // Looking every retryMs goes on without the watch.
        if (!signal.aborted) this.#logger.debug({ err: error, lease: name }, 'the watch of the lease was interrupted');
      }
      await this.#clock.sleep(backoff.next(), signal).catch(() => {});
    }
  }
}

/** Lets a candidate wait for a change from a moment on that lies before it looked. */
class LeaseChanges {
  #next = new AbortController();

  tell(): void {
    this.#next.abort();
    this.#next = new AbortController();
  }

  next(): { orAfter(clock: Clock, ms: number, signal: AbortSignal): Promise<void> } {
    const change = this.#next.signal;
    return {
      orAfter: async (clock, ms, signal) => {
        const either = linkSignals(change, signal);
        await clock.sleep(ms, either.signal).catch(() => {});
      },
    };
  }
}
