import { node as nodeKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Node } from '@navarch/proto';
import type { Plan } from '../plan.ts';

/** Addresses of one node's Pods: a /24, which holds 253 of them. */
const nodePrefixLength = 24;

/**
 * Gives each Node that has none its own range of Pod addresses out of `clusterCidr`: the lowest that is free. Ranges are
 * given by one decision over all Nodes, so that no two get the same.
 */
export function assignPodCidrs(nodes: readonly Live<Node>[], clusterCidr: string): Plan {
  const taken = new Set(nodes.map(({ spec }) => spec.podCidr));
  const waiting = nodes
    .filter(({ spec, metadata }) => spec.podCidr === '' && metadata.deletionTimestamp === '')
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const free = ranges(clusterCidr, nodePrefixLength, taken);
  const writes: Plan['writes'][number][] = [];
  const events: Plan['events'][number][] = [];
  for (const node of waiting) {
    const next = free.next();
    if (next.done) {
      const message = `all ranges of ${clusterCidr} are given to other nodes: delete Nodes that are gone, or start with a larger NAVARCH_CLUSTER_CIDR`;
      events.push({ kind: nodeKind, object: node, type: 'Warning', reason: 'CIDRNotAvailable', message });
    } else {
      const object = { ...node, spec: { ...node.spec, podCidr: next.value } };
      writes.push({ type: 'update', kind: nodeKind, object });
    }
  }
  return { writes, events };
}

/** The networks of `prefixLength` within `cidr` that aren't taken, lowest first. */
function* ranges(cidr: string, prefixLength: number, taken: ReadonlySet<string>): Generator<string, undefined> {
  const [address = '', length = '0'] = cidr.split('/');
  const first = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - prefixLength);
  const count = 2 ** Math.max(0, prefixLength - Number(length));
  for (let index = 0; index < count; index++) {
    const start = first + index * size;
    const dotted = [24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256).join('.');
    const range = `${dotted}/${prefixLength}`;
    if (!taken.has(range)) yield range;
  }
}
