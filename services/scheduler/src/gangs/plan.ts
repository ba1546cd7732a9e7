import type { PodGroupReservation, PodGroupVictim } from '@navarch/proto';
import type { Budget } from '../preemption.ts';
import type { Profile } from '../profiles.ts';
import { rejectionAt } from '../schedule.ts';
import type { Snapshot } from '../snapshot.ts';
import { available } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import { minus, type Resources, resourcesOf } from '@navarch/kinds';
import type { Group } from './group.ts';
import { makeRoom, type Pushing } from './make-room.ts';
import { type Gang, type GangTopology, scheduleGang } from './schedule-gang.ts';
import { remainingMs, timedOut, type Why } from './status.ts';
import type { Placement } from './trial.ts';
import { couldFit, type InLine, type Line, turnOf } from './turns.ts';

/** What is to be done for a group. */
export type GangPlan =
  | { readonly type: 'place'; readonly placements: readonly Placement[] }
  /** Others are asked to leave, and the places are kept meanwhile. */
  | {
      readonly type: 'makeRoom';
      readonly placements: readonly Placement[];
      readonly victims: readonly string[];
      readonly why: Why;
    }
  | {
      readonly type: 'wait';
      readonly why: Why;
      readonly filters: ReadonlySet<string>;
      /** See InLine. */
      readonly couldGo: boolean;
    };

/** What a plan goes by. The group's own reservation is not in the snapshot. */
export interface Scene {
  readonly snapshot: Snapshot;
  readonly profile: Profile;
  /** Undefined when there is no such queue. */
  readonly line: Line | undefined;
  /** The groups of its line, itself among them. */
  readonly inLine: readonly Group[];
  /** Those of them that wait, without itself. */
  readonly others: readonly InLine[];
  readonly used: Resources;
  readonly budgets: readonly Budget[];
  readonly company: Pushing['company'];
  readonly seed: number;
  readonly now: number;
}

/** What is to be done for a group that is ready. Pure: leaves the snapshot as it was. */
export function planFor(self: InLine, scene: Scene): GangPlan {
  const { group } = self;
  const { line, snapshot, profile, seed, now } = scene;
  if ((remainingMs(group, now) ?? 1) <= 0) {
    const message = `it has waited for its places for ${group.object.spec.scheduleTimeoutSeconds} s`;
    return wait(timedOut, message, ['ScheduleTimeout'], false);
  }
  if (line === undefined)
    return wait('QueueNotFound', `there is no queue ${group.object.spec.queue}`, ['Queue'], false);
  const turn = turnOf(self, scene.others, line, scene.used, now);
  if (turn.type === 'wait') return wait(turn.reason, turn.message, ['Queue'], couldFit(group, line));
  const gang: Gang = { members: turn.members, need: group.need, topology: topologyOf(group, snapshot) };
  const short = shortOf(group, snapshot);
  if (short !== undefined) return wait('Unschedulable', short, ['NodeResourcesFit'], true);
  const decision = scheduleGang(gang, snapshot, profile, seed);
  if (decision.type === 'place') return decision;
  const why = { reason: 'Unschedulable', message: decision.message };
  const room = mayPush(group)
    ? makeRoom(gang, snapshot, profile, { ...scene, priority: group.priority }, seed)
    : undefined;
  if (room !== undefined) return { type: 'makeRoom', ...room, why };
  const young = now - self.sinceMs < line.patienceMs;
  const couldGo = young || (couldFit(group, line) && fitsAlone(gang, group, scene));
  return { type: 'wait', why, filters: decision.filters, couldGo };
}

/** The places of a reservation whose Pods still wait for them, and fit. Leaves the snapshot as it was. */
export function stillFitting(
  reservation: PodGroupReservation,
  waiting: readonly PodInfo[],
  snapshot: Snapshot,
): readonly Placement[] {
  const placements: Placement[] = [];
  for (const { pod, uid, nodeName } of reservation.places) {
    const info = waiting.find((each) => each.uid === uid && each.pod.metadata.name === pod);
    const place = snapshot.find(nodeName);
    if (info === undefined || place < 0 || rejectionAt(info, snapshot, place) !== undefined) continue;
    snapshot.place(info.key, nodeName, info);
    placements.push({ info, nodeName, score: 0 });
  }
  for (const { info } of placements) snapshot.take(info.key);
  return placements;
}

/** Whether each member that counts on its node already could come there now. Leaves the snapshot as it was. */
export function areFree(placements: readonly Placement[], snapshot: Snapshot): boolean {
  return placements.every(({ info, nodeName }) => {
    const place = snapshot.find(nodeName);
    if (place < 0) return false;
    snapshot.take(info.key);
    const free = rejectionAt(info, snapshot, place) === undefined;
    snapshot.place(info.key, nodeName, info);
    return free;
  });
}

export function reservationOf(
  phase: 'MakingRoom' | 'Binding',
  placements: readonly Placement[],
  victims: readonly PodGroupVictim[] = [],
): PodGroupReservation {
  const places = placements.map(({ info, nodeName }) => ({ pod: info.pod.metadata.name, uid: info.uid, nodeName }));
  return { phase, places, victims: [...victims] };
}

function topologyOf({ object, placed }: Group, snapshot: Snapshot): GangTopology | undefined {
  const { topology } = object.spec;
  if (topology === undefined) return undefined;
  const { key, policy } = topology;
  const counts = new Map<string, number>();
  for (const { nodeName } of placed) {
    const value = snapshot.nodes[snapshot.find(nodeName)]?.labels[key];
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const taken = [...counts].sort(([, one], [, other]) => other - one).map(([value]) => value);
  return { key, required: policy !== 'Preferred', taken };
}

/** What the cluster has too little of for spec.minResources; undefined when there is enough. */
function shortOf({ object, used }: Group, snapshot: Snapshot): string | undefined {
  const wanted = minus(resourcesOf(object.spec.minResources), used);
  const short = Object.keys(object.spec.minResources).filter((resource) => {
    const free = snapshot.nodes
      .filter(({ ready, unschedulable }) => ready && !unschedulable)
      .reduce((sum, node) => sum + Math.max(0, available(node, resource)), 0);
    return free < (wanted[resource] ?? 0);
  });
  return short.length === 0
    ? undefined
    : `the nodes together have too little ${short.join(', ')} for spec.minResources`;
}

function mayPush({ waiting }: Group): boolean {
  return waiting.every(({ pod }) => pod.spec.preemptionPolicy !== 'Never');
}

/** Whether the group would fit if the other groups of its line had ended. */
function fitsAlone(gang: Gang, { key }: Group, { snapshot, profile, inLine, seed }: Scene): boolean {
  const others = inLine.filter((group) => group.key !== key).flatMap(({ placed }) => placed);
  const taken = others.flatMap(({ info }) => {
    const placed = snapshot.placed(info.key);
    if (placed !== undefined) snapshot.take(info.key);
    return placed === undefined ? [] : [{ key: info.key, ...placed }];
  });
  try {
    return scheduleGang(gang, snapshot, profile, seed).type === 'place';
  } finally {
    for (const { key, nodeName, footprint } of taken) snapshot.place(key, nodeName, footprint);
  }
}

function wait(reason: string, message: string, filters: readonly string[], couldGo: boolean): GangPlan {
  return { type: 'wait', why: { reason, message }, filters: new Set(filters), couldGo };
}
