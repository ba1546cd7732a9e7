import type { UsagePicture } from '@navarch/client';
import type { Kinds } from '@navarch/kinds';
import { byteCount, cpuMillis } from '@navarch/machinery';
import type {
  ListNodeUsageRequest,
  ListNodeUsageResponse,
  ListPodUsageRequest,
  ListPodUsageResponse,
  Node,
  Pod,
  Usage,
} from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import type { ObjectCache } from '../cache/object-cache.ts';
import { notFound } from '../read/resource-name.ts';
import { select } from '../read/selection.ts';

interface Picture {
  readonly kinds: Kinds;
  readonly cache: Pick<ObjectCache, 'list'>;
  readonly usage: Pick<UsagePicture, 'ofNode' | 'ofPod' | 'explanation'>;
}

/** What the nodes that a request chooses use. Throws NotFound for one that it names and that is not there. */
export function nodeUsage(request: ListNodeUsageRequest, picture: Picture): ListNodeUsageResponse {
  const { name, labelSelector } = request;
  const items: ListNodeUsageResponse['items'] = [];
  const missing: string[] = [];
  for (const { object, labels, name: nodeName } of choose(picture, { resource: 'nodes', name, labelSelector })) {
    const reading = picture.usage.ofNode(nodeName);
    if (reading === undefined) {
      missing.push(nodeName);
      continue;
    }
    const { status } = object as unknown as Node; // of the kind that was chosen
    const timestamp = new Date(reading.atMs).toISOString();
    items.push({
      name: nodeName,
      labels,
      timestamp,
      windowMs: BigInt(reading.windowMs),
      usage: reading.used,
      allocatable: amounts(status?.allocatable),
      capacity: amounts(status?.capacity),
    });
  }
  return { items, missing, explanation: missing.length === 0 ? '' : picture.usage.explanation };
}

/** What the running Pods that a request chooses use. Throws NotFound for one that it names and that is not there. */
export function podUsage(request: ListPodUsageRequest, picture: Picture): ListPodUsageResponse {
  const items: ListPodUsageResponse['items'] = [];
  const missing: string[] = [];
  for (const { object, labels, namespace, name } of choose(picture, { resource: 'pods', ...request })) {
    const { metadata, spec, status } = object as unknown as Pod; // of the kind that was chosen
    if (status?.phase !== 'Running') continue;
    const reading = picture.usage.ofPod(spec?.nodeName ?? '', metadata?.uid ?? '');
    if (reading === undefined) {
      missing.push(`${namespace}/${name}`);
      continue;
    }
    const timestamp = new Date(reading.atMs).toISOString();
    const windowMs = BigInt(reading.windowMs);
    items.push({ namespace, name, labels, timestamp, windowMs, containers: reading.used });
  }
  return { items, missing, explanation: missing.length === 0 ? '' : picture.usage.explanation };
}

function choose(
  { kinds, cache }: Picture,
  chosen: {
    readonly resource: string;
    readonly name: string;
    readonly labelSelector: string;
    readonly namespace?: string;
    readonly fieldSelector?: string;
  },
): CachedObject[] {
  const { name, namespace = '', fieldSelector = '' } = chosen;
  const selection = select(kinds, { ...chosen, namespace, fieldSelector });
  const found = [...cache.list(selection.kind, selection.namespace)].filter(
    (object) => (name === '' || object.name === name) && selection.matches(object),
  );
  if (name !== '' && found.length === 0) throw notFound(selection.kind, name);
  return found;
}

function amounts(resources: Readonly<Record<string, string>> | undefined): Usage {
  return {
    cpuNanocores: BigInt(cpuMillis(resources?.['cpu'])) * 1_000_000n,
    memoryBytes: BigInt(byteCount(resources?.['memory'])),
  };
}
