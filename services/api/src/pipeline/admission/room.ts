import {
  allocatable,
  node as nodeKind,
  pod as podKind,
  podDemand,
  type Resources,
  shortages,
  takesRoom,
} from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import type { Node, Pod } from '@navarch/proto';
import type { CachedObject } from '../../cache/cached-object.ts';
import { describe } from '../../read/resource-name.ts';
import { demandOf } from '../demands.ts';
import { roomKey, type Taking } from '../rooms.ts';
import type { View } from '../write.ts';
import type { Admitted, Link } from './link.ts';

/**
 * No Pod is put on a node that has not enough left for it. What comes to a node writes the node's room key, in one transaction with
 * itself and if nobody else has come there since the state that was decided on (see rooms.ts). A Pod that is made with its node is
 * not refused, as in Kubernetes, where the node does that; but it counts.
 */
export const room: Link = {
  admit: ({ circumstances: { view }, kind, next, previous }): Admitted | undefined => {
    if (kind.case !== podKind.case) return undefined;
    const pod = next as Pod; // the kind says what it is
    const nodeName = pod.spec?.nodeName ?? '';
    const before = previous?.feedToken ?? '';
    if (nodeName === before || !takesRoom(pod)) return undefined;
    const taking: Taking = { nodeName, demand: previous === undefined ? podDemand(pod) : demandOf(previous) };
    if (previous !== undefined) refuseExcess(view, pod, taking);
    const key = roomKey(nodeName);
    return { compare: [{ key, notAfter: view.revision }], ops: [{ type: 'put', key, value: nothing }], taking };
  },
  release: (_, going) =>
    going.kind.case === nodeKind.case ? { ops: [{ type: 'delete', key: roomKey(going.name) }] } : undefined,
};

const nothing = new Uint8Array();

const givenBy = new WeakMap<CachedObject, Resources>();

/** What the node has to give: worked out once for each version of it. */
function given(node: CachedObject): Resources {
  let resources = givenBy.get(node);
  // The cache decodes a kind's objects with its message.
  if (resources === undefined) givenBy.set(node, (resources = allocatable(node.object as Node)));
  return resources;
}

function refuseExcess(view: View, { metadata }: Pod, { nodeName, demand }: Taking): void {
  const node = view.get(nodeKind, '', nodeName);
  if (node === undefined) throw new ApiError('NotFound', `node "${nodeName}" not found: the pod can not be put on it`);
  const { requested, hostPorts } = view.room(nodeName);
  const short = shortages(demand.requests, requested, given(node));
  const ports = demand.hostPorts.filter((port) => hostPorts.has(port)).map((port) => `port ${port}`);
  if (short.length + ports.length === 0) return;
  const pod = describe(podKind, metadata?.namespace ?? '', metadata?.name ?? '');
  throw new ApiError(
    'Conflict',
    `${pod} does not fit on node "${nodeName}" any more: too little ${[...short, ...ports].join(', ')}`,
  );
}
