import {
  ListNodeUsageRequest,
  type ListNodeUsageResponse,
  ListPodUsageRequest,
  type ListPodUsageResponse,
  ListPushedMetricsRequest,
  type ListPushedMetricsResponse,
  MetricsService,
  PushedMetric,
} from '@navarch/proto';
import type { CallOptions } from './client.ts';
import type { Connection } from './connection.ts';

/** What nodes and Pods use now, and what others measure. */
export interface MetricsCalls {
  nodeUsage(chosen?: Partial<ListNodeUsageRequest>, options?: CallOptions): Promise<ListNodeUsageResponse>;
  podUsage(chosen?: Partial<ListPodUsageRequest>, options?: CallOptions): Promise<ListPodUsageResponse>;
  /** At most 1,000 at once. Throws ApiError('Unavailable') while the event bus is down. */
  push(metrics: readonly Partial<PushedMetric>[], options?: CallOptions): Promise<void>;
  pushed(chosen?: Partial<ListPushedMetricsRequest>, options?: CallOptions): Promise<ListPushedMetricsResponse>;
}

export function metricsCalls(connection: Connection): MetricsCalls {
  const { listNodeUsage, listPodUsage, pushMetrics, listPushedMetrics } = MetricsService;
  return {
    nodeUsage: (chosen = {}, options = {}) =>
      connection.read(listNodeUsage, ListNodeUsageRequest.fromPartial(chosen), options),
    podUsage: (chosen = {}, options = {}) =>
      connection.read(listPodUsage, ListPodUsageRequest.fromPartial(chosen), options),
    push: async (metrics, options = {}) => {
      const request = { metrics: metrics.map((metric) => PushedMetric.fromPartial(metric)) };
      await connection.unary(pushMetrics, request, options);
    },
    pushed: (chosen = {}, options = {}) =>
      connection.read(listPushedMetrics, ListPushedMetricsRequest.fromPartial(chosen), options),
  };
}
