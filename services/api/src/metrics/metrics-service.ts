import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { type EventBus, maxPayloadBytes } from '@navarch/bus';
import { pushedMetricsSubject } from '@navarch/client';
import { type Kinds, namespace as namespaceKind } from '@navarch/kinds';
import type { Clock } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import {
  type ListNodeUsageRequest,
  ListNodeUsageResponse,
  type ListPodUsageRequest,
  ListPodUsageResponse,
  type ListPushedMetricsRequest,
  ListPushedMetricsResponse,
  MetricsService,
  PushMetricsRequest,
  PushMetricsResponse,
} from '@navarch/proto';
import type { ObjectCache } from '../cache/object-cache.ts';
import type { Gate } from '../grpc/allow.ts';
import type { CallMetrics } from '../grpc/call-metrics.ts';
import { unary } from '../grpc/calls.ts';
import type { Verb } from '../pipeline/access.ts';
import type { MetricsPictures } from './metrics-pictures.ts';
import { checkMetrics } from './pushed-rules.ts';
import { asEncoded } from '../grpc/as-encoded.ts';
import { nodeUsage, podUsage } from './usage-lists.ts';

export const encodedMetricsService: ServiceDefinition = {
  listNodeUsage: { ...MetricsService.listNodeUsage, responseSerialize: asEncoded },
  listPodUsage: { ...MetricsService.listPodUsage, responseSerialize: asEncoded },
  pushMetrics: { ...MetricsService.pushMetrics, responseSerialize: asEncoded },
  listPushedMetrics: { ...MetricsService.listPushedMetrics, responseSerialize: asEncoded },
};

/** Answers from what was heard on the bus, and passes on to it what is pushed. */
export function metricsHandlers(parts: {
  readonly kinds: Kinds;
  readonly gate: Gate;
  readonly cache: ObjectCache;
  readonly bus: EventBus;
  readonly pictures: MetricsPictures;
  readonly clock: Clock;
  readonly metrics: CallMetrics;
}): UntypedServiceImplementation {
  const { kinds, gate, cache, bus, pictures, clock, metrics } = parts;
  return {
    listNodeUsage: unary('ListNodeUsage', metrics, async (request: ListNodeUsageRequest, _signal, { caller }) => {
      const { name } = request;
      gate.read(caller, verbOf(name), { resource: 'nodes', namespace: '', name }, 'metrics');
      return encoded(ListNodeUsageResponse, nodeUsage(request, { kinds, cache, usage: pictures.usage }));
    }),
    listPodUsage: unary('ListPodUsage', metrics, async (request: ListPodUsageRequest, _signal, { caller }) => {
      gate.read(caller, verbOf(request.name), { resource: 'pods', ...request }, 'metrics');
      return encoded(ListPodUsageResponse, podUsage(request, { kinds, cache, usage: pictures.usage }));
    }),
    pushMetrics: unary('PushMetrics', metrics, async (request: PushMetricsRequest, _signal, { caller }) => {
      for (const namespace of new Set(request.metrics.map(({ namespace }) => namespace))) {
        gate.read(caller, 'create', { resource: 'namespaces', namespace }, 'metrics');
      }
      checkMetrics(request.metrics, (name) => cache.get(namespaceKind, '', name) !== undefined);
      const time = new Date(clock.now()).toISOString();
      const timed = request.metrics.map((metric) => (metric.time === '' ? { ...metric, time } : metric));
      send(bus, PushMetricsRequest.encode({ metrics: timed }).finish());
      return encoded(PushMetricsResponse, {});
    }),
    listPushedMetrics: unary(
      'ListPushedMetrics',
      metrics,
      async (request: ListPushedMetricsRequest, _signal, { caller }) => {
        const { namespace, name } = request;
        gate.read(caller, 'list', { resource: 'namespaces', namespace }, 'metrics');
        const found = pictures.pushed
          .all()
          .filter((each) => (namespace === '' || each.namespace === namespace) && (name === '' || each.name === name));
        return encoded(ListPushedMetricsResponse, { metrics: [...found] });
      },
    ),
  };
}

function verbOf(name: string): Verb {
  return name === '' ? 'list' : 'get';
}

function send(bus: EventBus, payload: Uint8Array): void {
  if (payload.length > maxPayloadBytes) {
    throw new ApiError('RequestEntityTooLarge', 'these metrics are too large for one call; push them in several');
  }
  if (bus.publish(pushedMetricsSubject, payload)) return;
  throw new ApiError(
    'Unavailable',
    'metrics travel on the event bus (NATS), which can not be reached now; push again later',
  );
}

function encoded<T>(codec: { encode(message: T): { finish(): Uint8Array } }, message: T): Buffer {
  return Buffer.from(codec.encode(message).finish());
}
