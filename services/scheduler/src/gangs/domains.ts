import { available, type NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import { rejectionByItself } from '../schedule.ts';
import type { Snapshot } from '../snapshot.ts';
import { alike } from './members.ts';

/** Where members of a group should be together: nodes with one value of a label. */
export interface Domain {
  readonly value: string;
  /** No more of the members than this can be placed here: by what each node by itself has free. */
  readonly room: number;
  /** How many Pods of their kinds could be, if there were as many. */
  readonly free: number;
}

/** The values of a label with what each has room for. `filters` gets the names of those by which it goes. */
export function domainsOf(
  members: readonly PodInfo[],
  snapshot: Snapshot,
  key: string,
  filters: Set<string>,
): readonly Domain[] {
  const kinds = alike(members);
  const rooms = new Map<string, number[]>();
  // What is counted here is room, and ports.
  filters.add('NodeResourcesFit');
  if (members.some(({ hostPorts }) => hostPorts.length > 0)) filters.add('NodePorts');
  for (const node of snapshot.nodes) {
    const value = node.labels[key];
    if (value === undefined) continue;
    const room = rooms.get(value) ?? kinds.map(() => 0);
    rooms.set(value, room);
    for (const [index, { example }] of kinds.entries())
      room[index] = (room[index] ?? 0) + roomAt(example, node, filters);
  }
  return [...rooms].map(([value, room]) => ({
    value,
    room: kinds.reduce((sum, { count }, index) => sum + Math.min(count, room[index] ?? 0), 0),
    free: room.reduce((sum, count) => sum + count, 0),
  }));
}

/** How many Pods of the kind the node can have, as far as it goes by the node alone. */
function roomAt(pod: PodInfo, node: NodeInfo, filters: Set<string>): number {
  const rejection = rejectionByItself(pod, node);
  if (rejection !== undefined) {
    filters.add(rejection.filter);
    return 0;
  }
  if (pod.hostPorts.length > 0) return 1;
  return pod.needs.reduce(
    (room, { resource, amount }) => Math.min(room, Math.floor(available(node, resource) / amount)),
    Number.POSITIVE_INFINITY,
  );
}

/**
 * The domains that may hold the whole group, in the order in which they are worth a try: of those that hold all members the
 * one with the least room, so that the large ones stay whole for others; then those that hold some of them, the most first.
 */
export function byFit(domains: readonly Domain[], members: number, need: number): readonly Domain[] {
  const all = domains
    .filter(({ room }) => room >= members)
    .sort((one, other) => less(one.free, other.free) || byValue(one, other));
  const some = domains
    .filter(({ room }) => room >= need && room < members)
    .sort((one, other) => other.room - one.room || byValue(one, other));
  return [...all, ...some];
}

/** The domain to begin with where several may be used: the smallest that holds all members, else the largest. */
export function bestOf(domains: readonly Domain[], members: number): Domain | undefined {
  return byFit(domains, members, 1)[0];
}

/** Also where both are endless. */
function less(one: number, other: number): number {
  return one === other ? 0 : one - other;
}

function byValue(one: Domain, other: Domain): number {
  return one.value < other.value ? -1 : 1;
}
