import type { Client, InformerSet } from '@navarch/client';
import type { EventRecorder, Term } from '@navarch/controller';
import { pod as podKind } from '@navarch/kinds';
import type { Clock, Logger } from '@navarch/kit';
import { isApiError, keyOf } from '@navarch/machinery';
import { inSlices } from '../planning/in-slices.ts';
import type { Picture } from '../why/picture.ts';
import type { RebalancingPolicy } from './policy.ts';
import { type Move, rebalance } from './rebalance.ts';

export interface RebalancerOptions {
  readonly client: Pick<Client, 'evict'>;
  readonly informers: InformerSet;
  readonly recorder: EventRecorder;
  readonly policy: RebalancingPolicy;
  readonly picture: () => Picture;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Moves Pods to where they would be placed now, some in each round, by evicting them: disruption budgets have the last word. Who
 * leads does it.
 */
export class Rebalancer {
  readonly #options: RebalancerOptions;

  constructor(options: RebalancerOptions) {
    this.#options = options;
  }

  /** Works until the term is over. */
  async lead(term: Term): Promise<void> {
    const { clock, policy } = this.#options;
    const { signal } = term;
    try {
      while (!signal.aborted) {
        await clock.sleep(policy.intervalMs, signal);
        await this.#round(term);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #round(term: Term): Promise<void> {
    const { clock, informers, picture, policy } = this.#options;
    const pods = new Map(
      informers
        .lister(podKind)
        .list()
        .map((pod) => [keyOf(pod), pod]),
    );
    const moves = await inSlices(rebalance(pods, picture(), policy, clock.now()), term.signal);
    for (const move of moves) await this.#move(move, term);
  }

  async #move({ pod, from, to, goal, reason }: Move, term: Term): Promise<void> {
    const { client, logger, recorder } = this.#options;
    const { namespace, name, uid } = pod.metadata;
    const told = { pod: keyOf(pod), from, to, goal, reason };
    try {
      await client.evict({ namespace, name, uid }, { fence: term.fence(), signal: term.signal });
      logger.info(told, 'pod moved');
      recorder.event(podKind, pod, 'Normal', 'Rebalanced', `Moves from ${from} to ${to} (${goal}): ${reason}`);
    } catch (error) {
      if (isApiError(error, 'Fenced')) term.lose(error.message);
      if (term.signal.aborted) throw error;
      // A budget keeps it, or it has gone: the next round looks again.
      logger.info({ ...told, err: error }, 'pod not moved');
    }
  }
}
