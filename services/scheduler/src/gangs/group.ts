import type { Live } from '@navarch/machinery';
import type { Pod, PodGroup } from '@navarch/proto';
import type { PodInfo } from '../pod-info.ts';
import { controllerOf, plus, type Resources, takesRoom } from '@navarch/kinds';
import { byName } from './members.ts';

/** A Pod of a group. */
export interface Member {
  readonly info: PodInfo;
  /** As the caches show it, or as it was decided on here; '' without one. */
  readonly nodeName: string;
}

/** A group at one moment, counted. */
export interface Group {
  /** `namespace/name`. */
  readonly key: string;
  readonly object: Live<PodGroup>;
  readonly minMember: number;
  /** Members that can be placed: they have no node, no gates, and do not end. */
  readonly waiting: readonly PodInfo[];
  /** Members on a node that have not ended and were not asked to. */
  readonly placed: readonly Member[];
  /** How many of all that there are run, have succeeded, have failed, and how many there are. */
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly members: number;
  /** So many of those that wait have to be placed in one step. At least 1, even where nobody waits. */
  readonly need: number;
  /** How many members the group lacks that it had once: their places are kept for those that come instead. */
  readonly lost: number;
  /** Whether there are as many. */
  readonly ready: boolean;
  /** Whether members have places already: then the group has been let in, and stays so until it has none. */
  readonly admitted: boolean;
  /** What the members that are on nodes request together, those that are leaving too. */
  readonly used: Resources;
  /** As important as the least important of those that wait. */
  readonly priority: number;
}

/** Counts a group. */
export function groupOf(
  key: string,
  object: Live<PodGroup>,
  members: readonly Member[],
  canPlace: (info: PodInfo) => boolean,
): Group {
  const minMember = object.spec.minMember ?? 1;
  const waiting = members
    .filter((member) => waits(member) && canPlace(member.info))
    .map(({ info }) => info)
    .sort(byName);
  const onNode = members.filter(({ info, nodeName }) => nodeName !== '' && takesRoom(info.pod));
  const placed = onNode.filter(({ info }) => info.pod.metadata.deletionTimestamp === '');
  const inPhase = (phase: string) => members.filter(({ info }) => info.pod.status.phase === phase);
  // Those that did their work need no place any more; but what an earlier owner's Pods did says nothing of these.
  const owners = new Set(waiting.map(ownerOf));
  const succeeded = inPhase('Succeeded');
  const done = succeeded.filter(({ info }) => owners.has(ownerOf(info))).length;
  const missing = Math.max(0, minMember - placed.length - done);
  const admitted = placed.length > 0;
  const need = Math.max(1, missing);
  return {
    key,
    object,
    minMember,
    waiting,
    placed,
    running: placed.filter(({ info }) => info.pod.status.phase === 'Running').length,
    succeeded: succeeded.length,
    failed: inPhase('Failed').length,
    members: members.length,
    need,
    lost: admitted ? missing : 0,
    ready: waiting.length >= need,
    admitted,
    used: sum(onNode.map(({ info }) => info)),
    priority: waiting.reduce((least, { priority }) => Math.min(least, priority), waiting[0]?.priority ?? 0),
  };
}

/** What Pods request together. */
export function sum(pods: readonly Pick<PodInfo, 'requests'>[]): Resources {
  return pods.reduce<Resources>((total, { requests }) => plus(total, requests), {});
}

function waits({ info: { pod }, nodeName }: Member): boolean {
  const { metadata, spec } = pod;
  return nodeName === '' && spec.schedulingGates.length === 0 && metadata.deletionTimestamp === '' && takesRoom(pod);
}

function ownerOf({ pod }: { readonly pod: Live<Pod> }): string {
  return controllerOf(pod)?.uid ?? '';
}
