import { lease as leaseKind } from '@navarch/kinds';
import type { Clock, Component, Logger } from '@navarch/kit';
import { isApiError } from '@navarch/machinery';
import { Lease } from '@navarch/proto';
import type { Compare } from '@navarch/store';
import type { CachedObject } from '../cache/cached-object.ts';
import type { ObjectCache } from '../cache/object-cache.ts';
import { createWrite } from '../pipeline/create.ts';
import { incoming } from '../pipeline/incoming.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { updateWrite } from '../pipeline/update.ts';

const namespace = 'navarch-system';
const leaseSeconds = 10;
const renewMs = 3_000;

interface ElectionOptions {
  /** What one replica does for all, as the log says it and as the Lease is named: `change feed`, `change-feed`. */
  readonly task: string;
  readonly leaseName: string;
  /** Does it until `signal` aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly cache: ObjectCache;
  readonly pipeline: Pipeline;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Resolves once the lease's namespace is there. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  /** Unique among all api processes that ever were. */
  readonly identity: string;
}

/**
 * Lets one of several api replicas do what only one should: the one that holds a Lease. For a moment two may think so; where
 * that would do harm, what the task writes is committed together with `fence`.
 */
export class ReplicaElection implements Component {
  readonly name: string;
  readonly #options: ElectionOptions;
  #running: Promise<void> = Promise.resolve();
  /** The lease as it was seen last, and when: another's lease has run out when it stayed so for its whole time. */
  #seen: { readonly revision: bigint; readonly atMs: number } | undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.name = options.task;
  }

  /** The Lease, as far as it takes to name it. */
  get lease(): Lease {
    return Lease.fromPartial({ metadata: { name: this.#options.leaseName, namespace } });
  }

  /** The condition that this replica holds the Lease, for a transaction; undefined when it does not. */
  fence(): readonly Compare[] | undefined {
    const cached = this.#cached();
    const { spec } = (cached?.object ?? {}) as Partial<Lease>; // the cache decodes a kind's objects with its message
    if (cached === undefined || spec?.holderIdentity !== this.#options.identity) return undefined;
    return [{ key: cached.key, modRevision: cached.revision }];
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#running = this.#run(signal);
  }

  async stop(): Promise<void> {
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, logger, task, run } = this.#options;
    // Waiting ends early only because of the signal, which the loop looks at.
    await this.#options.ready(signal).catch(() => undefined);
    let leading: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;
    let renewedAtMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      try {
        if (await this.#holdOrTake(signal)) renewedAtMs = clock.monotonicMs();
        else renewedAtMs = Number.NEGATIVE_INFINITY;
      } catch (error) {
        if (signal.aborted) break;
        logger.debug({ err: error, task }, 'a lease could not be renewed');
      }
      const holds = clock.monotonicMs() - renewedAtMs < leaseSeconds * 1000;
      if (holds && leading === undefined) {
        const stop = new AbortController();
        logger.info({ task }, 'this replica does it for all');
        leading = { stop, ended: run(AbortSignal.any([stop.signal, signal])) };
      } else if (!holds && leading !== undefined) {
        leading.stop.abort();
        await leading.ended;
        leading = undefined;
        logger.info({ task }, 'another replica does it');
      }
      // The sleep ends early only because of the signal, which ends the loop.
      await clock.sleep(renewMs, signal).catch(() => undefined);
    }
    leading?.stop.abort();
    await leading?.ended;
    await this.#release();
  }

  /** Whether this process holds the lease now. */
  async #holdOrTake(signal: AbortSignal): Promise<boolean> {
    const { clock, identity } = this.#options;
    const cached = this.#cached();
    const now = new Date(clock.now()).toISOString();
    if (cached === undefined) {
      return await this.#write(this.#leaseOf(identity, now, now, 1), 0n, signal);
    }
    if (this.#seen?.revision !== cached.revision) this.#seen = { revision: cached.revision, atMs: clock.monotonicMs() };
    const { spec } = cached.object as Lease; // the cache decodes a kind's objects with its message
    const own = spec?.holderIdentity === identity;
    const free = spec === undefined || spec.holderIdentity === '';
    const ranOut = clock.monotonicMs() - this.#seen.atMs > (spec?.leaseDurationSeconds ?? 0) * 1000;
    if (!own && !free && !ranOut) return false;
    const transitions = (spec?.leaseTransitions ?? 0) + (own ? 0 : 1);
    return await this.#write(
      this.#leaseOf(identity, own ? spec.acquireTime : now, now, transitions),
      cached.revision,
      signal,
    );
  }

  async #write(lease: Lease, revision: bigint, signal: AbortSignal): Promise<boolean> {
    const request = incoming({ revision, object: { $case: 'lease', value: lease } });
    const write = revision === 0n ? createWrite(request) : updateWrite(request);
    try {
      await this.#options.pipeline.write(write, { fence: undefined, dryRun: false, program: 'api', signal });
      return true;
    } catch (error) {
      if (isApiError(error, 'Conflict', 'AlreadyExists')) return false;
      throw error;
    }
  }

  /** Gives the lease back, so that another replica need not wait for it to run out. */
  async #release(): Promise<void> {
    const { identity, logger, task } = this.#options;
    const cached = this.#cached();
    const { spec } = (cached?.object ?? {}) as Partial<Lease>; // as above
    if (cached === undefined || spec?.holderIdentity !== identity) return;
    try {
      const given = this.#leaseOf('', spec.acquireTime, spec.renewTime, spec.leaseTransitions);
      await this.#write(given, cached.revision, AbortSignal.timeout(1_000));
    } catch (error) {
      logger.debug({ err: error, task }, 'a lease could not be given back; it runs out by itself');
    }
  }

  #cached(): CachedObject | undefined {
    return this.#options.cache.get(leaseKind, namespace, this.#options.leaseName);
  }

  #leaseOf(holderIdentity: string, acquireTime: string, renewTime: string, leaseTransitions: number): Lease {
    const metadata = { name: this.#options.leaseName, namespace };
    const spec = { holderIdentity, leaseDurationSeconds: leaseSeconds, acquireTime, renewTime, leaseTransitions };
    return Lease.fromJSON({ metadata, spec });
  }
}
