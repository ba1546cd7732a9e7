import type { Clock, Component, Logger } from '@navarch/kit';
import { isApiError } from '@navarch/machinery';
import type { Store } from '@navarch/store';

/** How long the store keeps history, at least: as long as a reader may be away and still go on where it was. */
const keepMs = 5 * 60_000;

/** Lets the store forget history that is older than `keepMs`. Several replicas may do so: the later one finds it done. */
export class Compactor implements Component {
  readonly name = 'compactor';
  readonly #options: { store: Store; clock: Clock; logger: Logger };
  #running: Promise<void> = Promise.resolve();

  constructor(options: { store: Store; clock: Clock; logger: Logger }) {
    this.#options = options;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#running = this.#run(signal);
  }

  async stop(): Promise<void> {
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { store, clock, logger } = this.#options;
    let old: bigint | undefined;
    while (!signal.aborted) {
      try {
        const newest = await store.revision(signal);
        if (old !== undefined) await store.compact(old, signal);
        old = newest;
      } catch (error) {
        if (!signal.aborted && !isApiError(error, 'Expired'))
          logger.warn({ err: error }, 'the store was not compacted');
      }
      // The sleep ends early only because of the signal, which ends the loop.
      await clock.sleep(keepMs, signal).catch(() => undefined);
    }
  }
}
