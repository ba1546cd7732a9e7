import { createWrite, updateWrite } from '@navarch/client';
import type { Term } from '@navarch/controller';
import { lease as leaseKind, podRulesLease } from '@navarch/kinds';
import { Backoff, retry } from '@navarch/kit';
import { isApiError, type Live } from '@navarch/machinery';
import { Lease } from '@navarch/proto';
import { type Hands, patience, refusal, writeOptions } from './hands.ts';
import type { PodRules } from './pod-rules.ts';

/**
 * Tells all replicas that there are new rules between Pods, before the leader places the first Pod that has one. It writes a Lease. The
 * api refuses every binding that was decided before; and who decides after has seen the Pods that have the rules, and leaves those that
 * they keep away to the leader.
 */
export class Announcer {
  readonly #hands: Hands;
  readonly #rules: PodRules;

  constructor(hands: Hands, rules: PodRules) {
    this.#hands = hands;
    this.#rules = rules;
  }

  /** Resolves once the caches show everything that others decided without knowing. Throws ApiError. */
  async announce(term: Term): Promise<void> {
    const { informers } = this.#hands;
    const { kept } = this.#rules.toAnnounce();
    await informers.reached(await this.#write(term), term.signal);
    kept();
  }

  /** Resolves once no older choice can be bound any more, and the caches show those that were. Waits for an api that does not answer. */
  async refuseOlder(term: Term): Promise<void> {
    const { clock, logger } = this.#hands;
    await retry(() => this.announce(term), {
      backoff: new Backoff(patience),
      signal: term.signal,
      clock,
      onError: (error, delayMs) => {
        if (isApiError(error, 'Fenced')) term.lose(error.message);
        else logger.warn({ err: error, delayMs }, 'the api takes no announcement; trying again');
      },
    });
  }

  /** The revision of the announcement. */
  async #write(term: Term): Promise<bigint> {
    const { client, clock } = this.#hands;
    const current = await this.#current(term.signal);
    const wanted = announcement(current, term, clock.now());
    const write = current === undefined ? createWrite(leaseKind, wanted) : updateWrite(leaseKind, wanted);
    const [outcome] = await client.transact([write], writeOptions(term));
    if (outcome?.ok) return outcome.revision;
    throw refusal(outcome?.error);
  }

  async #current(signal: AbortSignal): Promise<Live<Lease> | undefined> {
    try {
      return await this.#hands.client.get(leaseKind, podRulesLease, { signal });
    } catch (error) {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}

/** It says who announced last, when, and how often that has been. */
function announcement(current: Live<Lease> | undefined, term: Term, now: number): Lease {
  const { holderIdentity } = term.fence();
  const renewTime = new Date(now).toISOString();
  const leaseTransitions = (current?.spec.leaseTransitions ?? 0) + 1;
  return Lease.fromPartial({
    metadata: current?.metadata ?? podRulesLease,
    spec: { holderIdentity, renewTime, acquireTime: renewTime, leaseTransitions },
  });
}
