import type { Change } from '@navarch/client';
import { podGroupLabel } from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import type { Pod, PodGroup, Queue } from '@navarch/proto';
import type { ClusterState } from '../cluster-state.ts';
import { type PodInfo, toPodInfo } from '../pod-info.ts';

import { type Group, groupOf, type Member } from './group.ts';
import { type Line, lineOf, openLine } from './turns.ts';

interface Entry {
  object: Live<PodGroup> | undefined;
  readonly members: Map<string, PodInfo>;
  /** Until something of it changes. */
  counted: Group | undefined;
}

/** `namespace/name` of the group that a Pod belongs to. */
export function groupKeyOf({ metadata }: Live<Pod>): string | undefined {
  const name = metadata.labels[podGroupLabel] ?? '';
  return name === '' ? undefined : `${metadata.namespace}/${name}`;
}

/** The groups, their members and the queues, as the caches show them and as was written here since. */
export class GangBook {
  readonly #state: ClusterState;
  readonly #canPlace: (info: PodInfo) => boolean;
  readonly #entries = new Map<string, Entry>();
  readonly #groupOfPod = new Map<string, string>();
  readonly #queues = new Map<string, Live<Queue>>();
  /** The groups that name a queue, by its name. */
  readonly #lines = new Map<string, Set<string>>();

  /** `canPlace` says whether a member is one for this scheduler to place. */
  constructor(state: ClusterState, canPlace: (info: PodInfo) => boolean) {
    this.#state = state;
    this.#canPlace = canPlace;
  }

  /** The groups that a change of a Pod concerns: it may have gone from one to another. */
  onPod({ type, object: pod }: Change<Pod>): readonly string[] {
    const key = keyOf(pod);
    const before = this.#groupOfPod.get(key);
    const now = type === 'deleted' ? undefined : groupKeyOf(pod);
    if (before !== undefined && before !== now) this.#leave(key, before);
    if (now !== undefined) {
      const entry = this.#entry(now);
      entry.members.set(key, toPodInfo(pod));
      entry.counted = undefined;
      this.#groupOfPod.set(key, now);
    }
    return [...new Set([before, now])].filter((each) => each !== undefined);
  }

  /** False when what is known is newer: it was written here. */
  onGroup({ type, object }: Pick<Change<PodGroup>, 'type' | 'object'>): boolean {
    const key = keyOf(object);
    const entry = this.#entry(key);
    if (type !== 'deleted' && entry.object !== undefined && !isNewer(object, entry.object)) return false;
    this.#join(key, entry.object, type === 'deleted' ? undefined : object);
    entry.object = type === 'deleted' ? undefined : object;
    entry.counted = undefined;
    if (type === 'deleted' && entry.members.size === 0) this.#entries.delete(key);
    return true;
  }

  onQueue({ type, object }: Pick<Change<Queue>, 'type' | 'object'>): void {
    const { name } = object.metadata;
    const before = this.#queues.get(name);
    if (type === 'deleted') this.#queues.delete(name);
    else if (before === undefined || isNewer(object, before)) this.#queues.set(name, object);
  }

  /** What was decided of a Pod, or is not decided any more, counts from now on. */
  decided(podKey: string): void {
    const entry = this.#entries.get(this.#groupOfPod.get(podKey) ?? '');
    if (entry !== undefined) entry.counted = undefined;
  }

  groupOfPod(podKey: string): string | undefined {
    return this.#groupOfPod.get(podKey);
  }

  /** The group as it is now; undefined while there are only Pods that name it. */
  group(key: string): Group | undefined {
    const entry = this.#entries.get(key);
    if (entry?.object === undefined) return undefined;
    entry.counted ??= groupOf(key, entry.object, this.#members(entry), this.#canPlace);
    return entry.counted;
  }

  /** The Pods that name the group. */
  pods(key: string): readonly PodInfo[] {
    return [...(this.#entries.get(key)?.members.values() ?? [])];
  }

  keys(): Iterable<string> {
    return this.#entries.keys();
  }

  queue(name: string): Live<Queue> | undefined {
    return this.#queues.get(name);
  }

  queueNames(): Iterable<string> {
    return this.#queues.keys();
  }

  /** What a queue lets its groups use; undefined when there is no such queue. */
  line(name: string): Line | undefined {
    if (name === '') return openLine;
    const queue = this.#queues.get(name);
    return queue && lineOf(queue);
  }

  /** The groups of a queue. */
  inLine(name: string): readonly Group[] {
    return [...(this.#lines.get(name) ?? [])].flatMap((key) => this.group(key) ?? []);
  }

  #members({ members }: Entry): readonly Member[] {
    return [...members.values()].map((info) => ({
      info,
      nodeName: info.pod.spec.nodeName || this.#state.assumedNode(info),
    }));
  }

  #entry(key: string): Entry {
    const entry = this.#entries.get(key) ?? { object: undefined, members: new Map(), counted: undefined };
    this.#entries.set(key, entry);
    return entry;
  }

  #leave(podKey: string, groupKey: string): void {
    this.#groupOfPod.delete(podKey);
    const entry = this.#entries.get(groupKey);
    if (entry === undefined) return;
    entry.members.delete(podKey);
    entry.counted = undefined;
    if (entry.members.size === 0 && entry.object === undefined) this.#entries.delete(groupKey);
  }

  #join(key: string, before: Live<PodGroup> | undefined, after: Live<PodGroup> | undefined): void {
    if (before !== undefined) this.#lines.get(before.spec.queue)?.delete(key);
    if (after === undefined) return;
    const line = this.#lines.get(after.spec.queue) ?? new Set();
    this.#lines.set(after.spec.queue, line.add(key));
  }
}

function isNewer(one: Live<PodGroup | Queue>, other: Live<PodGroup | Queue>): boolean {
  return (
    one.metadata.uid !== other.metadata.uid ||
    BigInt(one.metadata.resourceVersion) > BigInt(other.metadata.resourceVersion)
  );
}
