import type { PodInfo } from '../pod-info.ts';
import type { Profile } from '../profiles.ts';
import { schedule } from '../schedule.ts';
import type { Snapshot } from '../snapshot.ts';
import { type Change, costOf, sortOf, withChanges } from './change.ts';
import { type Obstacle, obstaclesOf } from './obstacles.ts';
import { lifts, remediesOf } from './remedies.ts';

/** Changes that together give a Pod a node, as deciding with them has shown. */
export interface ProvenChange {
  readonly changes: readonly Change[];
  readonly cost: number;
  /** Where the Pod would be. */
  readonly nodeName: string;
}

/** So many are told, each of another sort. */
const mostTold = 5;
/** More decisions than this are not made for an answer. */
const mostTrials = 400;
const seed = 0;

/**
 * The smallest changes that would give the Pod a node, the cheapest first, one of each sort; of pairs, one. A pair is looked
 * for only where no single change does it. Every one was tried: `schedule` places the Pod with it. `snapshot` is changed on
 * the way and is afterwards as it was. Yields between steps that take long, for others to go on.
 */
export function* smallestChanges(
  pod: PodInfo,
  snapshot: Snapshot,
  profile: Profile,
): Generator<void, readonly ProvenChange[], void> {
  const { singles, pairs } = yield* candidates(pod, snapshot);
  const prove = (changes: readonly Change[]): ProvenChange | undefined =>
    withChanges(pod, snapshot, changes, (changed) => {
      const decision = schedule(changed, snapshot, profile, seed);
      if (decision.type === 'reject') return undefined;
      return { changes, cost: total(changes), nodeName: decision.nodeName };
    });
  const proven = yield* firstOfEachSort(singles, prove, mostTold);
  return proven.length > 0 ? proven : yield* firstOfEachSort(pairs, prove, 1);
}

function* firstOfEachSort(
  sets: readonly (readonly Change[])[],
  prove: (changes: readonly Change[]) => ProvenChange | undefined,
  most: number,
): Generator<void, ProvenChange[], void> {
  const told = new Set<string>();
  const proven: ProvenChange[] = [];
  let trials = 0;
  for (const changes of sets) {
    const sort = changes.map(sortOf).join();
    if (told.has(sort)) continue;
    if (proven.length === most || ++trials > mostTrials) break;
    const result = prove(changes);
    yield;
    if (result === undefined) continue;
    told.add(sort);
    proven.push(result);
  }
  return proven;
}

function* candidates(pod: PodInfo, snapshot: Snapshot) {
  const obstacles = obstaclesOf(pod, snapshot);
  const singles = new Map<string, readonly Change[]>();
  const pairs = new Map<string, readonly Change[]>();
  for (const [place, node] of snapshot.nodes.entries()) {
    const found = obstacles(place);
    const choices = found.map((obstacle) => remediesOf(obstacle, pod, node));
    for (const changes of liftingAll(found, choices)) {
      const [sets, key] = [changes.length === 1 ? singles : pairs, JSON.stringify(changes)];
      sets.set(key, changes);
    }
    yield;
  }
  const sorted = (sets: Map<string, readonly Change[]>) =>
    [...sets]
      .sort(([key, one], [otherKey, other]) => total(one) - total(other) || (key < otherKey ? -1 : 1))
      .map(([, each]) => each);
  return { singles: sorted(singles), pairs: sorted(pairs) };
}

/** The sets of one or two changes that are meant to lift all obstacles of a node. */
function liftingAll(
  found: readonly Obstacle[],
  choices: readonly (readonly Change[])[],
): readonly (readonly Change[])[] {
  const all = choices.flat();
  const covers = (changes: readonly Change[]) =>
    found.every((obstacle) => changes.some((change) => lifts(change, obstacle)));
  const singles = all.filter((change) => covers([change])).map((change) => [change]);
  // More than two sorts of obstacles are nothing that a pair lifts.
  if (singles.length > 0 || found.length > 4) return singles;
  return all.flatMap((one, at) => all.slice(at + 1).map((other) => [one, other])).filter(covers);
}

function total(changes: readonly Change[]): number {
  return changes.reduce((sum, change) => sum + costOf(change), 0);
}
