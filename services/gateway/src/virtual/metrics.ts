import {
  type ContainerUsageReport,
  ListNodeUsageRequest,
  ListPodUsageRequest,
  MetricsService,
  type NodeUsage,
  type PodUsage,
  type Usage,
} from '@navarch/proto';
import type { ApiCalls } from '../api/api-calls.ts';
import type { Exchange } from '../http/exchange.ts';
import { sendJson } from '../http/reply.ts';
import { notFound } from '../http/status.ts';
import type { ResourceTarget } from '../routes/target.ts';
import type { VirtualResource } from './virtual-resource.ts';

const [group, version] = ['metrics.k8s.io', 'v1beta1'];
const apiVersion = `${group}/${version}`;
const texts = { type: 'object', additionalProperties: { type: 'string' } };
const measured = { timestamp: { type: 'string', format: 'date-time' }, window: { type: 'string' } };

/** What nodes and Pods use now: `kubectl top`. Those that are not heard of are left out of lists. */
export function usageMetrics(api: ApiCalls): readonly VirtualResource[] {
  const nodes = (exchange: Exchange, name: string) => {
    const labelSelector = exchange.query.get('labelSelector') ?? '';
    const request = ListNodeUsageRequest.fromPartial({ name, labelSelector });
    return api.call(MetricsService.listNodeUsage, request, exchange);
  };
  const pods = (exchange: Exchange, { namespace, name }: Pick<ResourceTarget, 'namespace' | 'name'>) => {
    const labelSelector = exchange.query.get('labelSelector') ?? '';
    const fieldSelector = exchange.query.get('fieldSelector') ?? '';
    const request = ListPodUsageRequest.fromPartial({ namespace, name, labelSelector, fieldSelector });
    return api.call(MetricsService.listPodUsage, request, exchange);
  };
  return [
    {
      group,
      version,
      plural: 'nodes',
      singular: '',
      kind: 'NodeMetrics',
      scope: 'Cluster',
      description: 'What a node uses.',
      schema: { properties: { ...measured, usage: texts } },
      verbs: {
        list: async (exchange) => {
          const { items } = await nodes(exchange, '');
          await sendJson(exchange, 200, listOf('NodeMetrics', items.map(nodeMetrics)));
        },
        get: async (exchange) => {
          const { name } = resourceTarget(exchange);
          const [item] = (await nodes(exchange, name)).items;
          if (item === undefined) throw unknown('nodemetrics', name);
          await sendJson(exchange, 200, { kind: 'NodeMetrics', apiVersion, ...nodeMetrics(item) });
        },
      },
    },
    {
      group,
      version,
      plural: 'pods',
      singular: '',
      kind: 'PodMetrics',
      scope: 'Namespaced',
      description: 'What the containers of a Pod use.',
      schema: { properties: { ...measured, containers: { type: 'array', items: { type: 'object' } } } },
      verbs: {
        list: async (exchange) => {
          const { namespace } = resourceTarget(exchange);
          const { items } = await pods(exchange, { namespace, name: '' });
          await sendJson(exchange, 200, listOf('PodMetrics', items.map(podMetrics)));
        },
        get: async (exchange) => {
          const target = resourceTarget(exchange);
          const [item] = (await pods(exchange, target)).items;
          if (item === undefined) throw unknown('podmetrics', `${target.namespace}/${target.name}`);
          await sendJson(exchange, 200, { kind: 'PodMetrics', apiVersion, ...podMetrics(item) });
        },
      },
    },
  ];
}

function listOf(kind: string, items: readonly object[]): object {
  return { kind: `${kind}List`, apiVersion, metadata: {}, items };
}

function nodeMetrics({ name, labels, timestamp, windowMs, usage }: NodeUsage): object {
  const metadata = { name, creationTimestamp: timestamp, labels };
  return { metadata, timestamp, window: window(windowMs), usage: amounts(usage) };
}

function podMetrics({ namespace, name, labels, timestamp, windowMs, containers }: PodUsage): object {
  const metadata = { name, namespace, creationTimestamp: timestamp, labels };
  return { metadata, timestamp, window: window(windowMs), containers: containers.map(containerMetrics) };
}

function containerMetrics({ name, usage }: ContainerUsageReport): object {
  return { name, usage: amounts(usage) };
}

function amounts(usage: Usage | undefined): object {
  return { cpu: `${usage?.cpuNanocores ?? 0n}n`, memory: `${(usage?.memoryBytes ?? 0n) / 1024n}Ki` };
}

/** As Go writes a duration. */
function window(milliseconds: bigint): string {
  return `${Number(milliseconds) / 1000}s`;
}

function unknown(resource: string, name: string) {
  return notFound(`${resource}.${group} "${name}" not found`);
}

function resourceTarget({ target }: Exchange): ResourceTarget {
  if (target.type === 'path') throw notFound();
  return target;
}
