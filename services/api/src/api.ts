import type { EventBus } from '@navarch/bus';
import { kinds } from '@navarch/kinds';
import { type Address, type Clock, type Component, Components, type Logger, type Metrics } from '@navarch/kit';
import type { Store } from '@navarch/store';
import { Bootstrap } from './bootstrap.ts';
import { ObjectCache } from './cache/object-cache.ts';
import { StoreFeed } from './cache/store-feed.ts';
import { CallMetrics } from './grpc/call-metrics.ts';
import { clusterHandlers, encodedClusterService } from './grpc/cluster.ts';
import { resourcesHandlers } from './grpc/resources.ts';
import { encodedResourcesService } from './grpc/resources-service.ts';
import { WatchStreams } from './grpc/watch-streams.ts';
import { Pipeline } from './pipeline/pipeline.ts';
import { Reader } from './read/reader.ts';
import { type Sources, StoreSource } from './read/source.ts';
import { ApiServer } from './server.ts';

export interface ApiOptions {
  readonly store: Store;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly listen: Address;
  readonly version: string;
}

/** The whole api on a store and a bus that somebody else has opened and will close. */
export class Api implements Component {
  readonly name = 'api';
  readonly #server: ApiServer;
  readonly #parts: Components;

  constructor({ store, clock, logger, metrics, listen, version }: ApiOptions) {
    const cache = new ObjectCache();
    const objects = new StoreSource(store, cache);
    const sources: Sources = { of: () => objects };
    const pipeline = new Pipeline({ sources, clock });
    const reader = new Reader({ sources, clock });
    const callMetrics = new CallMetrics(metrics, logger);
    const streams = new WatchStreams({ reader, metrics: callMetrics });
    const bootstrap = new Bootstrap({ store, pipeline, logger });
    const feed = new StoreFeed({ store, cache, logger, kinds: kinds.filter(({ storage }) => storage === 'store') });
    this.#server = new ApiServer({
      listen,
      logger,
      services: [
        {
          definition: encodedResourcesService,
          handlers: resourcesHandlers({ reader, pipeline, streams, metrics: callMetrics }),
        },
        {
          definition: encodedClusterService,
          handlers: clusterHandlers({ version, store, clusterId: () => bootstrap.clusterId, metrics: callMetrics }),
        },
      ],
      onStop: () => streams.stop(),
    });
    this.#parts = new Components({ name: this.name, components: [feed, bootstrap, this.#server], logger });
  }

  /** Where it listens, once started. */
  get address(): Address {
    return this.#server.address;
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#parts.start(signal);
  }

  async stop(): Promise<void> {
    await this.#parts.stop();
  }
}
