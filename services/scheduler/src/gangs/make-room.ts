import { constraintsOf } from '../constraints.ts';
import type { Footprint, PodInfo } from '../pod-info.ts';
import { type Budget, type Company, preemption } from '../preemption.ts';
import type { Profile } from '../profiles.ts';
import { rejectionAt } from '../schedule.ts';
import type { Snapshot } from '../snapshot.ts';
import { domainsOf } from './domains.ts';
import { largestFirst, within } from './members.ts';
import type { Gang } from './schedule-gang.ts';
import { type Placement, Trial } from './trial.ts';

/** Whom a group may push out, and how it looks at that. */
export interface Pushing {
  /** The group's importance. */
  readonly priority: number;
  readonly budgets: readonly Budget[];
  /** As `Company`, given who is to leave already. */
  readonly company: (victims: readonly string[], leaving: ReadonlySet<string>) => ReturnType<Company>;
}

/** Where a group could run if less important Pods left, and which. */
export interface RoomForGang {
  readonly placements: readonly Placement[];
  /** By key. */
  readonly victims: readonly string[];
}

interface Left {
  readonly nodeName: string;
  readonly footprint: Footprint;
}

/** In large clusters no more domains than this are compared. */
const mostCompared = 16;

/**
 * Which less important Pods would have to leave so that `need` members get places; undefined where that helps nothing, for then
 * nobody has to leave. Each member takes what is free, or else the node whose Pods are the least loss, as `preemption` has it;
 * in the end those come back, the important first, who are in nobody's way. Members beyond `need` push nobody out. Leaves the snapshot
 * as it was.
 */
export function makeRoom(
  gang: Gang,
  snapshot: Snapshot,
  profile: Profile,
  pushing: Pushing,
  seed: number,
): RoomForGang | undefined {
  if (!snapshot.hasLesser(pushing.priority)) return undefined;
  const members = largestFirst(gang.members);
  const { topology, need } = gang;
  if (!topology?.required) return new Displacement(snapshot, profile, pushing, seed).find(members, need);
  const domains = domainsOf(members, snapshot, topology.key, new Set()).filter(
    ({ value }) => topology.taken[0] === undefined || value === topology.taken[0],
  );
  const found = domains
    .toSorted((one, other) => other.room - one.room || (one.value < other.value ? -1 : 1))
    .slice(0, mostCompared)
    .flatMap(({ value }) => {
      const displacement = new Displacement(snapshot, profile, pushing, seed);
      return displacement.find(members, need, (member) => within(member, topology.key, value)) ?? [];
    });
  return found.toSorted((one, other) => loss(one, snapshot) - loss(other, snapshot))[0];
}

/** One attempt in thought. */
class Displacement {
  readonly #snapshot: Snapshot;
  readonly #profile: Profile;
  readonly #pushing: Pushing;
  readonly #left = new Map<string, Left>();
  #seed: number;

  constructor(snapshot: Snapshot, profile: Profile, pushing: Pushing, seed: number) {
    this.#snapshot = snapshot;
    this.#profile = profile;
    this.#pushing = pushing;
    this.#seed = seed;
  }

  find(members: readonly PodInfo[], need: number, as = (member: PodInfo) => member): RoomForGang | undefined {
    try {
      using trial = new Trial(this.#snapshot, this.#profile, this.#seed);
      for (const [index, member] of members.entries()) {
        const placed = trial.placements.length;
        if (placed >= need || placed + members.length - index < need) break;
        if (trial.place([member], as).length > 0) this.#push(member, as, trial);
      }
      if (trial.placements.length < need) return undefined;
      this.#bringBack(trial.placements);
      return { placements: [...trial.placements], victims: [...this.#left.keys()] };
    } finally {
      for (const [key, left] of this.#left) this.#snapshot.place(key, left.nodeName, left.footprint);
    }
  }

  #push(member: PodInfo, as: (member: PodInfo) => PodInfo, trial: Trial): void {
    const { priority, budgets, company } = this.#pushing;
    const leaving = new Set(this.#left.keys());
    const found = preemption({ ...as(member), priority }, this.#snapshot, budgets, this.#seed++, (victims) =>
      company(victims, leaving),
    );
    if (found === undefined) return;
    for (const key of found.victims) this.#takeOut(key);
    trial.put(member, found.nodeName, 0);
  }

  #takeOut(key: string): void {
    const left = this.#snapshot.placed(key);
    if (left === undefined) return;
    this.#left.set(key, left);
    this.#snapshot.take(key);
  }

  /** Whoever came along with others, or was pushed out before a better way was found, stays where nobody needs the room. */
  #bringBack(placements: readonly Placement[]): void {
    const byImportance = [...this.#left].sort(
      ([, one], [, other]) => other.footprint.priority - one.footprint.priority,
    );
    for (const [key] of byImportance) {
      const unit = this.#unitOf(key);
      if (unit.length === 0 || !this.#isWholeWithout(unit)) continue;
      for (const [each, left] of unit) this.#snapshot.place(each, left.nodeName, left.footprint);
      if (this.#allFit(placements, new Set(unit.map(([, { nodeName }]) => nodeName)))) {
        for (const [each] of unit) this.#left.delete(each);
      } else for (const [each] of unit) this.#snapshot.take(each);
    }
  }

  /** Those who leave with the Pod: who comes back brings them along. */
  #unitOf(key: string): readonly (readonly [string, Left])[] {
    if (!this.#left.has(key)) return [];
    const together = this.#pushing.company([key], new Set()) ?? [key];
    return [...new Set([key, ...together])].flatMap((each) => {
      const left = this.#left.get(each);
      return left === undefined ? [] : [[each, left] as const];
    });
  }

  /** Whether those who would leave then are whole groups, or such that their groups can spare. */
  #isWholeWithout(unit: readonly (readonly [string, Left])[]): boolean {
    const rest = new Set(this.#left.keys());
    for (const [key] of unit) rest.delete(key);
    return this.#pushing.company([...rest], new Set())?.every((key) => rest.has(key)) ?? false;
  }

  #allFit(placements: readonly Placement[], nodes: ReadonlySet<string>): boolean {
    return placements.every(({ info, nodeName }) => {
      if (!nodes.has(nodeName) && constraintsOf(info, this.#snapshot).length === 0) return true;
      this.#snapshot.take(info.key);
      const fits = rejectionAt(info, this.#snapshot, this.#snapshot.find(nodeName)) === undefined;
      this.#snapshot.place(info.key, nodeName, info);
      return fits;
    });
  }
}

/** The most important victim weighs more than their number. */
function loss({ victims }: RoomForGang, snapshot: Snapshot): number {
  const priorities = victims.map((key) => snapshot.placed(key)?.footprint.priority ?? 0);
  return victims.length === 0 ? Number.NEGATIVE_INFINITY : Math.max(...priorities) * 1e6 + victims.length;
}
