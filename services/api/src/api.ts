import type { EventBus } from '@navarch/bus';
import { ApiEventRecorder } from '@navarch/controller';
import { KindRegistry, lease as leaseKind } from '@navarch/kinds';
import {
  type Address,
  type Cidr,
  type Clock,
  type Component,
  Components,
  formatAddress,
  type Logger,
  type Metrics,
} from '@navarch/kit';
import type { Maintenance, Store } from '@navarch/store';
import { hostname } from 'node:os';
import { encodedAccessService, reviewHandlers } from './access/reviews.ts';
import { Bootstrap } from './bootstrap.ts';
import { ObjectCache } from './cache/object-cache.ts';
import { StoreFeed } from './cache/store-feed.ts';
import { EventSource } from './events/event-source.ts';
import { ownEvents } from './events/own-events.ts';
import { ReplicaElection } from './election/replica-election.ts';
import { feedLease } from './feed/feed-lease.ts';
import { FeedPublisher } from './feed/feed-publisher.ts';
import { Gate } from './grpc/allow.ts';
import { CallMetrics } from './grpc/call-metrics.ts';
import { clusterHandlers, encodedClusterService } from './grpc/cluster.ts';
import { registerGauges } from './grpc/gauges.ts';
import { MetricsPictures } from './metrics/metrics-pictures.ts';
import { encodedMetricsService, metricsHandlers } from './metrics/metrics-service.ts';
import { HistoryRecorder } from './history/history-recorder.ts';
import { defaultVersionLimits, type HistoryLimits, historyStream } from './history/history-stream.ts';
import { ObjectHistory } from './history/object-history.ts';
import { Timeline } from './history/timeline.ts';
import { resourcesHandlers } from './grpc/resources.ts';
import { encodedResourcesService } from './grpc/resources-service.ts';
import { whyHandlers } from './grpc/why.ts';
import { WatchStreams } from './grpc/watch-streams.ts';
import { keyHandlers } from './keys/key-calls.ts';
import type { TolerationSeconds } from './pipeline/admission/tolerations.ts';
import { Access } from './pipeline/access.ts';
import { Pipeline } from './pipeline/pipeline.ts';
import { encodedPlannersService, PlannerSessions } from './planning/planner-sessions.ts';
import { encodedPlanningService, planningHandlers } from './planning/planning-service.ts';
import { ServiceNetwork } from './pipeline/service-network.ts';
import { Reader } from './read/reader.ts';
import { framedPodsService, framedSessionsService } from './sessions/frames.ts';
import { NodeSessions } from './sessions/node-sessions.ts';
import { podsHandlers } from './sessions/pods.ts';
import { SessionRegistry } from './sessions/session-registry.ts';
import type { CareTimes } from './storage/care-plan.ts';
import { fullness, type StorageLimits } from './storage/pressure.ts';
import { StorageCare } from './storage/storage-care.ts';
import { type Sources, StoreSource } from './read/source.ts';
import { uidFrom } from './pipeline/uid.ts';
import { ApiServer } from './server.ts';

export interface ApiOptions {
  readonly store: Store;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly listen: Address;
  /** Where other replicas reach this one; where it listens when undefined. */
  readonly advertise?: Address | undefined;
  readonly version: string;
  /** Where Services get their addresses from. */
  readonly serviceCidr: Cidr;
  /** The store's servers, where it has any that need care. */
  readonly maintenance?: Maintenance;
  /** For how long Pods that don't say so themselves stay on a node that fails; five minutes each when undefined. */
  readonly tolerationSeconds?: TolerationSeconds;
  readonly storageLimits?: StorageLimits;
  readonly careTimes?: CareTimes;
  /** How much of each object's past outlives the store's history. */
  readonly history?: HistoryLimits;
}

/** etcd's own default, and the part of it that leaves room for what must go on when nothing new may be created. */
export const defaultStorageLimits: StorageLimits = { quotaBytes: 2 * 1024 ** 3, watermark: 0.8 };

/** The whole api on a store and a bus that somebody else has opened and will close. */
export class Api implements Component {
  readonly name = 'api';
  readonly #server: ApiServer;
  readonly #parts: Components;
  readonly #cache: ObjectCache;
  readonly #bootstrap: Bootstrap;
  readonly #care: StorageCare;

  constructor(options: ApiOptions) {
    const { store, bus, clock, logger, metrics, listen, advertise, version, serviceCidr } = options;
    const { history: limits = defaultVersionLimits } = options;
    const kinds = new KindRegistry();
    const cache = new ObjectCache();
    const objects = new StoreSource(store, cache);
    const events = new EventSource({ bus, clock, logger });
    const fresh = (signal: AbortSignal) => objects.fresh(signal);
    const sources: Sources = { of: ({ storage }) => (storage === 'events' ? events : objects) };
    const pipeline = new Pipeline({
      kinds,
      sources,
      clock,
      serviceNetwork: new ServiceNetwork(serviceCidr),
      tolerationSeconds: options.tolerationSeconds,
      pressure: () => this.#care.pressure,
    });
    const access = new Access(cache);
    const gate = new Gate(access, kinds);
    const reader = new Reader({ kinds, sources, clock });
    const callMetrics = new CallMetrics(metrics, logger);
    const streams = new WatchStreams({ reader, metrics: callMetrics, clock, fresh });
    const reachedAt = () => formatAddress(advertise ?? this.#server.address);
    const registry = new SessionRegistry({ store, clock, logger, address: reachedAt });
    const sessions = new NodeSessions({ access, clock, logger, metrics: callMetrics, registry });
    const planners = new PlannerSessions({ access, clock, logger, metrics: callMetrics, registry });
    const bootstrap = new Bootstrap({ store, pipeline, logger });
    const clusterId = () => bootstrap.clusterId;
    const timeline = new Timeline({ store, past: objects.past });
    const history = new ObjectHistory({ kinds, sources, stream: historyStream(bus, limits), timeline, clusterId });
    const pictures = new MetricsPictures({ bus, cache, clock, logger });
    const feed = new StoreFeed({ store, cache, logger, kinds });
    this.#server = new ApiServer({
      listen,
      logger,
      metrics: callMetrics,
      services: [
        {
          definition: encodedResourcesService,
          handlers: {
            ...resourcesHandlers({ kinds, gate, fresh, reader, history, pipeline, streams, metrics: callMetrics }),
            ...whyHandlers({ kinds, gate, fresh, sources, clock, metrics: callMetrics }),
          },
        },
        {
          definition: encodedClusterService,
          handlers: clusterHandlers({
            version,
            access,
            store,
            timeline,
            clock,
            clusterId,
            storage: (signal) => this.#care.state(signal),
            metrics: callMetrics,
          }),
        },
        {
          definition: framedPodsService,
          handlers: podsHandlers({ access, sources, sessions, registry, clock, metrics: callMetrics }),
        },
        {
          definition: encodedMetricsService,
          handlers: metricsHandlers({ kinds, gate, cache, bus, pictures, clock, metrics: callMetrics }),
        },
        {
          definition: encodedAccessService,
          handlers: {
            ...reviewHandlers({ access, fresh, metrics: callMetrics }),
            ...keyHandlers({ access, store, cache, clock, clusterId, fresh, metrics: callMetrics }),
          },
        },
        { definition: framedSessionsService, handlers: sessions.handlers() },
        {
          definition: encodedPlanningService,
          handlers: planningHandlers({ kinds, gate, pipeline, sources, planners, metrics: callMetrics }),
        },
        { definition: encodedPlannersService, handlers: planners.handlers() },
      ],
      ready: (signal) => bootstrap.done(signal),
      onStop: () => {
        streams.stop();
        sessions.stop();
        planners.stop();
      },
    });
    const published = metrics.counter({
      name: 'navarch_api_feed_batches_total',
      help: 'Batches of changes that were published on the change feed.',
    });
    const publisher = new FeedPublisher({ cache, bus, clock, onBatch: () => published.inc() });
    const recorded = metrics.counter({
      name: 'navarch_api_history_versions_total',
      help: 'Past versions of objects that were kept for longer than the store keeps them.',
    });
    const onVersion = () => recorded.inc();
    const recorder = new HistoryRecorder({ cache, bus, clock, logger, limits, clusterId, onVersion });
    const identity = `${hostname()}-${uidFrom(Math.random)}`;
    const ready = (signal: AbortSignal) => bootstrap.done(signal);
    const common = { cache, pipeline, clock, logger, identity, ready };
    const feedElection = new ReplicaElection({
      ...common,
      task: 'change feed',
      leaseName: feedLease.name,
      // Were two to publish for a moment, their chains would not fit together, and readers would ask the api: no fence.
      run: async (signal) => void (await Promise.all([publisher.run(signal), recorder.run(signal)])),
    });
    const careElection = new ReplicaElection({
      ...common,
      task: 'care of the store',
      leaseName: 'storage-care',
      run: (signal) => this.#care.lead(signal),
    });
    const eventRecorder = new ApiEventRecorder({
      client: ownEvents(pipeline, events.cache),
      component: 'api',
      host: hostname(),
      clock,
      logger,
      metrics,
    });
    this.#care = new StorageCare({
      store,
      clock,
      logger,
      metrics,
      identity,
      maintenance: options.maintenance,
      limits: options.storageLimits ?? defaultStorageLimits,
      times: options.careTimes,
      fence: () => careElection.fence(),
      tell: (type, reason, message) => eventRecorder.event(leaseKind, careElection.lease, type, reason, message),
    });
    registerGauges(metrics, {
      kinds,
      cache,
      events: events.cache,
      watches: () => streams.open,
      nodes: () => sessions.size,
    });
    this.#cache = cache;
    this.#bootstrap = bootstrap;
    const components = [
      feed,
      events,
      bootstrap,
      pictures,
      eventRecorder,
      this.#care,
      feedElection,
      careElection,
      this.#server,
    ];
    this.#parts = new Components({ name: this.name, components, logger });
  }

  /** Where it listens, once started. */
  get address(): Address {
    return this.#server.address;
  }

  /** Serves from then on, but answers Unavailable until it is ready. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#parts.start(signal);
  }

  /** Why the cluster can't be used yet; undefined when it can. */
  notReady(): string | undefined {
    if (!this.#cache.filled) return 'the cache is not filled: etcd could not be read yet';
    return this.#bootstrap.ready ? undefined : 'the namespaces and roles that the cluster needs are not there yet';
  }

  /** What whoever asks whether the api is ready should know, although it is. */
  remark(): string | undefined {
    const { pressure } = this.#care;
    return pressure?.level === 'full' ? `${fullness(pressure)}; nothing new is created: see navctl storage` : undefined;
  }

  /** Resolves once the cluster can be used. */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#bootstrap.done(signal);
  }

  async stop(): Promise<void> {
    await this.#parts.stop();
  }
}
