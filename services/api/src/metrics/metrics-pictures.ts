import type { EventBus } from '@navarch/bus';
import { PushedMetrics, UsagePicture } from '@navarch/client';
import { node as nodeKind } from '@navarch/kinds';
import { type Clock, type Component, type Logger, linkSignals } from '@navarch/kit';
import type { ObjectCache } from '../cache/object-cache.ts';

/** What this replica hears of usage and metrics on the bus. Each replica listens for itself: there is nothing to agree on. */
export class MetricsPictures implements Component {
  readonly name = 'metrics';
  readonly usage: UsagePicture;
  readonly pushed: PushedMetrics;
  readonly #life = linkSignals();
  #listening: Promise<unknown> = Promise.resolve();

  constructor({ bus, cache, clock, logger }: { bus: EventBus; cache: ObjectCache; clock: Clock; logger: Logger }) {
    this.usage = new UsagePicture({
      bus,
      clock,
      logger,
      isNode: (name) => cache.get(nodeKind, '', name) !== undefined,
    });
    this.pushed = new PushedMetrics({ bus, clock, logger });
  }

  async start(): Promise<void> {
    const { signal } = this.#life;
    this.#listening = Promise.all([this.usage.listen(signal), this.pushed.listen(signal)]);
  }

  async stop(): Promise<void> {
    this.#life.abort();
    await this.#listening;
  }
}
