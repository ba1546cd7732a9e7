import type { InformerSet } from '@navarch/client';
import { type Clock, type Component, type Logger, linkSignals, type Metrics } from '@navarch/kit';
import type { Controller } from './contracts.ts';
import { ControllerRunner } from './controller-runner.ts';
import type { LeaderElector } from './leader-elector.ts';
import type { Term } from './term.ts';

export interface LeaderWorkOptions {
  readonly name: string;
  readonly informers: InformerSet;
  readonly elector: LeaderElector;
  readonly logger: Logger;
}

/** What is done while a Lease is held. */
export interface Office {
  readonly elector: LeaderElector;
  readonly work: (term: Term) => Promise<void>;
}

/**
 * Work that one process of several does: keeps the caches warm from the start, and once they are filled, stands for
 * election; as the leader does `work` until the term is over. `others` are stood for beside it, on the same caches. Stopping waits for
 * the work to end and gives the leases back.
 */
export class LeaderWork implements Component {
  readonly name: string;
  readonly #options: LeaderWorkOptions;
  readonly #offices: readonly Office[];
  #running: Promise<unknown> | undefined;

  constructor(options: LeaderWorkOptions, work: Office['work'], others: readonly Office[] = []) {
    this.name = options.name;
    this.#options = options;
    this.#offices = [{ elector: options.elector, work }, ...others];
  }

  async start(signal: AbortSignal): Promise<void> {
    const { informers } = this.#options;
    // The caches outlive the leadership, which may still wait for them while it ends.
    const caches = linkSignals();
    const leading = (async () => {
      try {
        await informers.synced(signal);
        await Promise.all(this.#offices.map(({ elector, work }) => elector.run(work, signal)));
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        caches.abort();
      }
    })();
    this.#running = Promise.all([informers.run(caches.signal), leading]);
  }

  async stop(): Promise<void> {
    await this.#running;
  }
}

/** LeaderWork that runs controllers. Made before the informers start, for the controllers listen to them. */
export function runControllers(
  options: LeaderWorkOptions & { controllers: readonly Controller[]; clock?: Clock; metrics?: Metrics },
): LeaderWork {
  const { controllers, informers, logger, clock, metrics } = options;
  const runners = controllers.map(
    (controller) =>
      new ControllerRunner({
        controller,
        informers,
        logger,
        ...(clock ? { clock } : {}),
        ...(metrics ? { metrics } : {}),
      }),
  );
  return new LeaderWork(options, async (term) => {
    await Promise.all(runners.map((runner) => runner.run(term)));
  });
}
