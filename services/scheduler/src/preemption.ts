import { constraintsOf } from './constraints.ts';
import { Evaluation, type Judge } from './evaluation.ts';
import type { Rejection } from './explain.ts';
import { type Filter, filters } from './filters.ts';
import { available, type Guest, type NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import type { PodClass } from './pod-terms.ts';
import { rejectionAt } from './schedule.ts';
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

/**
 * Who else has to leave when these do, all of them included: Pods that make no sense without one another. Undefined where one of
 * them must stay, because it is as important as the one for whom room is made.
 */
export type Company = (victims: readonly string[]) => readonly string[] | undefined;

const alone: Company = (victims) => victims;

/** A node, and what speaks against it; less is better, the first first. */
interface Candidate {
  readonly nodeName: string;
  readonly victims: readonly Guest[];
  /** How many of the victims budgets don't allow. */
  readonly violations: number;
  readonly highestPriority: number;
  readonly sumOfPriorities: number;
}

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
  company: Company = alone,
): Preemption | undefined {
  if (!snapshot.hasLesser(pod.priority)) return undefined;
  // Who could help by leaving is the same for all Pods of this shape and priority, and known for all nodes that have not changed.
  const key = `room for ${pod.priority} ${pod.shape}`;
  const { worth } = snapshot.evaluation(key, () => new Evaluation(openedBy(pod), 0));
  const byTrial = pod.hostPorts.length > 0 || constraintsOf(pod, snapshot).length > 0;
  const spare = new Float64Array(pod.needs.length);
  const count = snapshot.nodes.length;
  let best: Candidate | undefined;
  let compared = 0;
  for (let step = 0, place = seed % count; step < count && compared < mostCompared; step++, place++) {
    if (place === count) place = 0;
    if (worth[place] === Number.NEGATIVE_INFINITY) continue;
    const candidate = candidateAt(place, { pod, snapshot, budgets, byTrial, spare, company });
    if (candidate === undefined) continue;
    compared++;
    if (best === undefined || isBetter(candidate, best)) best = candidate;
  }
  return best && { nodeName: best.nodeName, victims: best.victims.map(([key]) => key) };
}

/** What is the same for all nodes. */
interface Search {
  readonly pod: PodInfo;
  readonly snapshot: Snapshot;
  readonly budgets: readonly Budget[];
  /** Ports or rules about other Pods have a say: sums of what is requested don't tell. */
  readonly byTrial: boolean;
  /** Room for a number for each of the Pod's needs. */
  readonly spare: Float64Array;
  readonly company: Company;
}

const closed: Rejection = { filter: 'no less important Pod is in the way', reasons: [] };

/** Says 0 of nodes that have room for the Pod once all less important Pods have left, as far as nodes by themselves can say. */
function openedBy(pod: PodInfo): Judge {
  const { needs, priority } = pod;
  const settled = settledFilters(pod).filter(({ name }) => name !== 'VolumeBinding');
  return (node) => {
    let any = false;
    const left = needs.map(({ resource, amount }) => available(node, resource) - amount);
    for (const guest of node.pods.values()) {
      if (guest.priority >= priority) continue;
      any = true;
      for (const [index, { resource }] of needs.entries()) {
        left[index] = (left[index] ?? 0) + (guest.requests[resource] ?? 0);
      }
    }
    const helps = any && left.every((amount) => amount >= 0);
    return helps && settled.every((filter) => filter.reject(pod, node).length === 0) ? 0 : closed;
  };
}

/** The filters that nobody's leaving can change, if they have something to say of the Pod. */
function settledFilters(pod: PodInfo): readonly Filter[] {
  return filters.filter(({ name, concerns }) => !liftable.has(name) && (concerns?.(pod) ?? true));
}

function candidateAt(place: number, search: Search): Candidate | undefined {
  const { pod, snapshot, budgets, byTrial, spare } = search;
  const node = snapshot.nodes[place];
  if (node === undefined) return undefined;
  // Claims are the Pod's own, not its shape's.
  if (pod.claims.length > 0 && settledFilters(pod).some((filter) => filter.reject(pod, node).length > 0))
    return undefined;
  const guests = snapshot.guests(place);
  let stay = guests.length;
  while (stay > 0 && (guests[stay - 1]?.[1].priority ?? 0) < pod.priority) stay--;
  fillSpare(spare, pod, node, guests, stay);
  if (budgets.length === 0 && !byTrial) {
    return whole(node.name, victimsBySums(pod, spare, guests, stay), none, search);
  }
  const { lesser, violating } = inOrderOfReprieve(guests.slice(stay), budgets);
  const victims = byTrial ? victimsByTrial(pod, snapshot, node.name, lesser) : victimsBySums(pod, spare, lesser, 0);
  return victims && whole(node.name, victims, violating, search);
}

/** The node with those who have to leave along with its victims, wherever they are. */
function whole(
  nodeName: string,
  victims: readonly Guest[],
  violating: ReadonlySet<string>,
  { snapshot, company }: Search,
): Candidate | undefined {
  if (company === alone) return toCandidate(nodeName, victims, violating);
  const all = company(victims.map(([key]) => key))?.flatMap((key): readonly Guest[] => {
    const footprint = snapshot.placed(key)?.footprint;
    return footprint === undefined ? [] : [[key, footprint]];
  });
  return all && toCandidate(nodeName, all, violating);
}

/** Writes what is left of each resource that the Pod needs when it comes and only the first `stay` of the guests stay. */
function fillSpare(
  spare: Float64Array,
  { needs }: PodInfo,
  { allocatable }: NodeInfo,
  guests: readonly Guest[],
  stay: number,
): void {
  for (let index = 0; index < needs.length; index++) {
    const { resource = '', amount = 0 } = needs[index] ?? {};
    let left = (allocatable[resource] ?? 0) - amount;
    for (let at = 0; at < stay; at++) left -= guests[at]?.[1].requests[resource] ?? 0;
    spare[index] = left;
  }
}

/** Of guests in order of importance those whose leaving would break a budget stay first if they can. */
function inOrderOfReprieve(byImportance: readonly Guest[], budgets: readonly Budget[]) {
  const left = budgets.map(({ allowed }) => allowed);
  const violating = new Set<string>();
  for (const [key, { podClass }] of byImportance) {
    for (const [index, budget] of budgets.entries()) {
      if (!budget.chooses(podClass)) continue;
      left[index] = (left[index] ?? 0) - 1;
      if ((left[index] ?? 0) < 0) violating.add(key);
    }
  }
  const lesser = [
    ...byImportance.filter(([key]) => violating.has(key)),
    ...byImportance.filter(([key]) => !violating.has(key)),
  ];
  return { lesser, violating };
}

const none: ReadonlySet<string> = new Set();

/**
 * Where only room is wanted: everybody from the guest at `first` on leaves, and comes back in turn for as long as the Pod still
 * fits. Uses `spare` up.
 */
function victimsBySums(
  { needs }: PodInfo,
  spare: Float64Array,
  guests: readonly Guest[],
  first: number,
): readonly Guest[] {
  const victims: Guest[] = [];
  for (let at = first; at < guests.length; at++) {
    const guest = guests[at];
    if (guest === undefined) continue;
    const { requests } = guest[1];
    let fits = true;
    for (let index = 0; fits && index < needs.length; index++) {
      fits = (spare[index] ?? 0) >= (requests[needs[index]?.resource ?? ''] ?? 0);
    }
    if (!fits) {
      victims.push(guest);
      continue;
    }
    for (let index = 0; index < needs.length; index++) {
      spare[index] = (spare[index] ?? 0) - (requests[needs[index]?.resource ?? ''] ?? 0);
    }
  }
  return victims;
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

function toCandidate(nodeName: string, victims: readonly Guest[], violating: ReadonlySet<string>): Candidate {
  let [violations, highestPriority, sumOfPriorities] = [0, Number.NEGATIVE_INFINITY, 0];
  for (const [key, { priority }] of victims) {
    if (violating.has(key)) violations++;
    if (priority > highestPriority) highestPriority = priority;
    sumOfPriorities += priority;
  }
  return { nodeName, victims, violations, highestPriority, sumOfPriorities };
}

function isBetter(one: Candidate, other: Candidate): boolean {
  const difference =
    one.violations - other.violations ||
    // Both are -Infinity where nobody has to go.
    (one.highestPriority === other.highestPriority ? 0 : one.highestPriority - other.highestPriority) ||
    one.sumOfPriorities - other.sumOfPriorities ||
    one.victims.length - other.victims.length;
  return difference < 0 || (difference === 0 && youngest(one) > youngest(other));
}

/** When the oldest of its most important victims was made. */
function youngest({ victims, highestPriority }: Candidate): string {
  let earliest = '9';
  for (const [, { priority, since }] of victims) {
    if (priority === highestPriority && since < earliest) earliest = since;
  }
  return earliest;
}
