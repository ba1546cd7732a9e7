import { constraintsOf } from './constraints.ts';
import { available, type NodeInfo } from './node-info.ts';
import type { Footprint, PodInfo } from './pod-info.ts';
import type { PodClass } from './pod-terms.ts';
import { rejectionAt, rejectionByItself } from './schedule.ts';
import type { Snapshot } from './snapshot.ts';

/** How many Pods of a choice may be made to leave. */
export interface Budget {
  /** `namespace/name`. */
  readonly key: string;
  readonly chooses: (podClass: PodClass) => boolean;
  readonly allowed: number;
}

/** Who has to leave a node so that a more important Pod can have it. */
export interface Preemption {
  readonly nodeName: string;
  /** By key. */
  readonly victims: readonly string[];
}

interface Candidate extends Preemption {
  /** How many of them budgets don't allow. */
  readonly violations: number;
  readonly footprints: readonly Footprint[];
}

type Guest = readonly [key: string, footprint: Footprint];

/** What other Pods' leaving can change. */
const liftable: ReadonlySet<string> = new Set([
  'NodePorts',
  'NodeResourcesFit',
  'PodTopologySpread',
  'InterPodAffinity',
]);
/** No more nodes than this are compared: kube-scheduler's number for clusters of up to 1,000 nodes. */
const mostCompared = 100;

/**
 * Where a Pod that no node can have could run if less important Pods left, and which: of the nodes the one where budgets are
 * kept, then where the most important victim is least important, then with the smallest sum of priorities, the fewest
 * victims, and the youngest. Undefined where nothing helps. In large clusters nodes are compared from the one on that `seed`
 * says. Source: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
 */
export function preemption(
  pod: PodInfo,
  snapshot: Snapshot,
  budgets: readonly Budget[],
  seed: number,
): Preemption | undefined {
  const { nodes } = snapshot;
  if (!snapshot.hasLesser(pod.priority)) return undefined;
  const aware = constraintsOf(pod, snapshot).length > 0;
  let best: Candidate | undefined;
  let compared = 0;
  for (let step = 0; step < nodes.length && compared < mostCompared; step++) {
    const place = (seed + step) % nodes.length;
    const candidate = candidateAt(place, pod, snapshot, budgets, aware);
    if (candidate === undefined) continue;
    compared++;
    if (best === undefined || isBetter(candidate, best)) best = candidate;
  }
  return best && { nodeName: best.nodeName, victims: best.victims };
}

function candidateAt(
  place: number,
  pod: PodInfo,
  snapshot: Snapshot,
  budgets: readonly Budget[],
  aware: boolean,
): Candidate | undefined {
  const node = snapshot.nodes[place];
  if (node === undefined) return undefined;
  const lesser: Guest[] = [];
  for (const guest of node.pods) if (guest[1].priority < pod.priority) lesser.push(guest);
  const spare = lesser.length === 0 ? undefined : spareWithout(pod, node, lesser);
  if (spare === undefined) return undefined;
  const rejection = rejectionByItself(pod, node);
  if (rejection !== undefined && !liftable.has(rejection.filter)) return undefined;
  const { guests, violating } = inOrderOfReprieve(lesser, budgets);
  const victims =
    aware || pod.hostPorts.length > 0
      ? victimsByTrial(pod, snapshot, node.name, guests)
      : victimsBySums(pod, spare, guests);
  if (victims === undefined) return undefined;
  return {
    nodeName: node.name,
    victims: victims.map(([key]) => key),
    violations: victims.filter(([key]) => violating.has(key)).length,
    footprints: victims.map(([, footprint]) => footprint),
  };
}

/** What would be left of each resource that the Pod needs if all of them left and it came; undefined where that is too little. */
function spareWithout({ needs }: PodInfo, node: NodeInfo, guests: readonly Guest[]): number[] | undefined {
  const spare: number[] = [];
  for (const { resource, amount } of needs) {
    let left = available(node, resource) - amount;
    for (const [, { requests }] of guests) left += requests[resource] ?? 0;
    if (left < 0) return undefined;
    spare.push(left);
  }
  return spare;
}

/** Those whose leaving would break a budget stay first if they can, then the more important, then the older. */
function inOrderOfReprieve(lesser: readonly Guest[], budgets: readonly Budget[]) {
  const byImportance = lesser.toSorted(([, one], [, other]) => importance(one, other));
  if (budgets.length === 0) return { guests: byImportance, violating: none };
  const left = budgets.map(({ allowed }) => allowed);
  const violating = new Set<string>();
  for (const [key, { podClass }] of byImportance) {
    for (const [index, budget] of budgets.entries()) {
      if (!budget.chooses(podClass)) continue;
      left[index] = (left[index] ?? 0) - 1;
      if ((left[index] ?? 0) < 0) violating.add(key);
    }
  }
  const guests = [
    ...byImportance.filter(([key]) => violating.has(key)),
    ...byImportance.filter(([key]) => !violating.has(key)),
  ];
  return { guests, violating };
}

const none: ReadonlySet<string> = new Set();

function importance(one: Footprint, other: Footprint): number {
  return other.priority - one.priority || (one.since < other.since ? -1 : 1);
}

/** Where only room is wanted: everybody leaves, and comes back in turn for as long as the Pod still fits. Uses `spare` up. */
function victimsBySums({ needs }: PodInfo, spare: number[], guests: readonly Guest[]): readonly Guest[] {
  return guests.filter(([, { requests }]) => {
    const fits = needs.every(({ resource }, index) => (spare[index] ?? 0) >= (requests[resource] ?? 0));
    if (fits) {
      for (const [index, { resource }] of needs.entries())
        spare[index] = (spare[index] ?? 0) - (requests[resource] ?? 0);
    }
    return !fits;
  });
}

/** The same where ports or rules about other Pods have a say: it is tried, and everything put back. */
function victimsByTrial(
  pod: PodInfo,
  snapshot: Snapshot,
  nodeName: string,
  guests: readonly Guest[],
): readonly Guest[] | undefined {
  const fits = () => rejectionAt(pod, snapshot, snapshot.find(nodeName)) === undefined;
  const back = ([key, footprint]: Guest) => snapshot.place(key, nodeName, footprint);
  for (const [key] of guests) snapshot.take(key);
  if (!fits()) {
    for (const guest of guests) back(guest);
    return undefined;
  }
  const victims = guests.filter((guest) => {
    back(guest);
    if (fits()) return false;
    snapshot.take(guest[0]);
    return true;
  });
  for (const victim of victims) back(victim);
  return victims;
}

function isBetter(one: Candidate, other: Candidate): boolean {
  const [ones, others] = [measures(one), measures(other)];
  const index = ones.findIndex((measure, at) => measure !== others[at]);
  if (index >= 0) return (ones[index] ?? 0) < (others[index] ?? 0);
  return youngest(one) > youngest(other);
}

/** Less is better, the first first. */
function measures({ violations, footprints }: Candidate): readonly number[] {
  const priorities = footprints.map(({ priority }) => priority);
  const highest = Math.max(Number.NEGATIVE_INFINITY, ...priorities);
  return [violations, highest, priorities.reduce((sum, priority) => sum + priority, 0), priorities.length];
}

/** When the oldest of its most important victims was made. */
function youngest({ footprints }: Candidate): string {
  const highest = Math.max(...footprints.map(({ priority }) => priority));
  return footprints
    .filter(({ priority }) => priority === highest)
    .map(({ since }) => since)
    .reduce((earliest, since) => (since < earliest ? since : earliest), '9');
}
