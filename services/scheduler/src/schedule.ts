import { type Constraint, constraintsOf } from './constraints.ts';
import { Evaluation, type Judge } from './evaluation.ts';
import { type Rejection, Tally } from './explain.ts';
import { type ClusterEvent, type Filter, filters, groupRules, podRules } from './filters.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import { preferencesOf } from './preferences.ts';
import type { Profile } from './profiles.ts';
import { score } from './score.ts';
import { type Scoring, scoringOf } from './scoring.ts';
import { selectBest, selectPlace, signOf } from './select-node.ts';
import type { Snapshot } from './snapshot.ts';

export type Decision =
  | {
      readonly type: 'place';
      readonly nodeName: string;
      /** The founding paper's score where the profile has a strategy, else the sum of the profile's scores. */
      readonly score: number;
      /** How many nodes could have had the Pod. */
      readonly feasible: number;
    }
  | {
      readonly type: 'reject';
      /** In a sentence: `0/3 nodes are available: 2 Insufficient cpu, 1 node(s) were not ready.` */
      readonly message: string;
      /** The filters that rejected a node: what they are lifted by may help. */
      readonly filters: ReadonlySet<string>;
    };

/** Where a Pod should run. The same arguments always give the same decision, whatever was asked before. */
export function schedule(pod: PodInfo, snapshot: Snapshot, profile: Profile, seed: number): Decision {
  const scoring = scoringOf(profile);
  const { strategy } = scoring;
  const constraints = constraintsOf(pod, snapshot);
  const last = strategy === 'round-robin' ? lastPlace(snapshot, profile) : -1;
  if (constraints.length === 0 && decidesAlone(pod, snapshot, scoring)) {
    // The usual case: nobody but each node by itself has a say, and no list of nodes has to be walked.
    const { best, able, tally } = evaluationOf(pod, snapshot, scoring);
    if (able === 0) return reject(tally);
    return placed(pod, snapshot, scoring, selectBest(strategy, best, seed, last), best.worth, able);
  }
  const { worth, places } = candidates(pod, snapshot, scoring);
  const able = constraints.reduce(meeting, places);
  if (able.length === 0) return reject(rejectionsTally(pod, snapshot, scoring, constraints));
  const count = able.length;
  const preferences = preferencesOf(pod, snapshot, able, scoring.preferences);
  const feasible = { places: able, preferences, worth, podCounts: snapshot.podCounts };
  const { place, total } = selectPlace(strategy, feasible, seed, last);
  return placed(pod, snapshot, scoring, place, total, count);
}

/** Whether what each node by itself is worth decides. */
function decidesAlone(pod: PodInfo, snapshot: Snapshot, { preferences }: Scoring): boolean {
  const isOneOfAll = pod.namedNodes === undefined && pod.claims.length === 0;
  return isOneOfAll && !preferences.some(({ concerns }) => concerns(pod, snapshot));
}

/** The place of the node that the profile chose last. */
function lastPlace(snapshot: Snapshot, { schedulerName }: Profile): number {
  const name = snapshot.lastChosen.get(schedulerName);
  return name === undefined ? -1 : snapshot.lastBefore(name);
}

function placed(
  pod: PodInfo,
  snapshot: Snapshot,
  { strategy }: Scoring,
  place: number,
  total: number,
  feasible: number,
): Decision {
  const node = snapshot.nodes[place];
  if (node === undefined) throw new Error('the node that was chosen is not there');
  return { type: 'place', nodeName: node.name, score: strategy === undefined ? total : score(pod, node), feasible };
}

/** A node that can have a Pod, and what speaks for it. */
export interface Ranked {
  readonly name: string;
  /** What the Pod and its neighbours would like: compared first. */
  readonly preference: number;
  /** What the strategy says: compared next. */
  readonly worth: number;
  /** How many Pods it has. */
  readonly pods: number;
}

/** The nodes that can have the Pod, the best first. For people: sorts them all. */
export function ranking(pod: PodInfo, snapshot: Snapshot, profile: Profile): readonly Ranked[] {
  const scoring = scoringOf(profile);
  const { strategy } = scoring;
  const { worth, places } = candidates(pod, snapshot, scoring);
  const able = constraintsOf(pod, snapshot).reduce(meeting, places);
  const preferences = preferencesOf(pod, snapshot, able, scoring.preferences);
  const sign = signOf(strategy);
  // Without a strategy only the sum counts.
  const first = ({ preference, worth }: Ranked) => (strategy === undefined ? preference + worth : preference);
  return [...able]
    .map((place, at) => ({
      name: snapshot.nodes[place]?.name ?? '',
      preference: preferences?.[at] ?? 0,
      worth: worth[place] ?? 0,
      pods: snapshot.podCounts[place] ?? 0,
    }))
    .sort((one, other) => {
      const preferred = first(other) - first(one);
      if (strategy === undefined) return preferred;
      return preferred || other.worth - one.worth || sign * (other.pods - one.pods);
    });
}

/** Why each node that can't have the Pod can't. For people: looks at every node. */
export function rejections(pod: PodInfo, snapshot: Snapshot): ReadonlyMap<string, Rejection> {
  const constraints = constraintsOf(pod, snapshot);
  const found = new Map<string, Rejection>();
  for (const [place, node] of snapshot.nodes.entries()) {
    const rejection = rejectionByItself(pod, node) ?? rejectionBy(constraints, place);
    if (rejection !== undefined) found.set(node.name, rejection);
  }
  return found;
}

/** Why the node at `place` can't have the Pod. */
export function rejectionAt(pod: PodInfo, snapshot: Snapshot, place: number): Rejection | undefined {
  const node = snapshot.nodes[place];
  if (node === undefined) throw new RangeError(`there is no node at place ${place}`);
  return rejectionByItself(pod, node) ?? rejectionBy(constraintsOf(pod, snapshot), place);
}

const byName: ReadonlyMap<string, Pick<Filter, 'liftedBy'>> = new Map(
  [...filters, ...podRules, ...groupRules].map((filter) => [filter.name, filter]),
);

/** Whether what happened may lift a rejection by `names`. */
export function mayHelp(event: ClusterEvent, names: ReadonlySet<string>): boolean {
  if (event === 'node-added') return true;
  return [...names].some((name) => byName.get(name)?.liftedBy.includes(event) ?? true);
}

/** The places of nodes that by themselves can have the Pod, and what they are worth to it. */
function candidates(pod: PodInfo, snapshot: Snapshot, scoring: Scoring): { worth: Float64Array; places: Int32Array } {
  const few = fewPlaces(pod, snapshot);
  if (few !== undefined) return judged(pod, snapshot, scoring, few);
  const { worth } = evaluationOf(pod, snapshot, scoring);
  const places = snapshot.scratch();
  let count = 0;
  for (let place = 0; place < snapshot.nodes.length; place++) {
    if (worth[place] !== Number.NEGATIVE_INFINITY) places[count++] = place;
  }
  return { worth, places: places.subarray(0, count) };
}

function evaluationOf(pod: PodInfo, snapshot: Snapshot, scoring: Scoring): Evaluation {
  const key = `${scoring.keyOf(pod, snapshot)} ${pod.shape}`;
  return snapshot.evaluation(key, () => new Evaluation(judgeOf(pod, snapshot, scoring), signOf(scoring.strategy)));
}

/** Where the Pod names its node, or its data lies on one, the thousands of others need not be looked at. */
function fewPlaces({ namedNodes, claims }: PodInfo, snapshot: Snapshot): readonly number[] | undefined {
  const settled = claims.find(({ nodeName }) => nodeName !== '');
  if (claims.some(({ problem }) => problem !== undefined)) return [];
  if (settled !== undefined) return [snapshot.find(settled.nodeName)];
  return namedNodes && [...namedNodes].map((name) => snapshot.find(name)).sort((a, b) => a - b);
}

function judged(pod: PodInfo, snapshot: Snapshot, scoring: Scoring, few: readonly number[]) {
  const judge = judgeOf(pod, snapshot, scoring);
  const worth = new Float64Array(snapshot.nodes.length);
  const places = few.filter((place) => {
    const node = snapshot.nodes[place];
    const verdict = node && judge(node);
    if (typeof verdict !== 'number') return false;
    worth[place] = verdict;
    return true;
  });
  return { worth, places: Int32Array.from(places) };
}

function judgeOf(pod: PodInfo, snapshot: Snapshot, scoring: Scoring): Judge {
  const asked = askedOf(pod);
  const worthOf = scoring.worth(pod, snapshot);
  return (node) => firstRejection(pod, node, asked) ?? worthOf(node);
}

/** Why the node by itself can't have the Pod. */
export function rejectionByItself(pod: PodInfo, node: NodeInfo): Rejection | undefined {
  return firstRejection(pod, node, askedOf(pod));
}

/** The filters that have something to say of the Pod. */
function askedOf(pod: PodInfo): readonly Filter[] {
  return filters.filter(({ concerns }) => concerns?.(pod) ?? true);
}

function firstRejection(pod: PodInfo, node: NodeInfo, asked: readonly Filter[]): Rejection | undefined {
  for (const filter of asked) {
    const reasons = filter.reject(pod, node);
    if (reasons.length > 0) return { filter: filter.name, reasons };
  }
  return undefined;
}

function meeting(places: Int32Array, { topology, allowed, withoutLabel }: Constraint): Int32Array {
  const { domainOf } = topology;
  let count = 0;
  for (let at = 0; at < places.length; at++) {
    const place = places[at] ?? 0;
    const domain = domainOf[place] ?? -1;
    if (domain < 0 ? withoutLabel : allowed[domain] === 1) places[count++] = place;
  }
  return places.subarray(0, count);
}

function rejectionBy(constraints: readonly Constraint[], place: number): Rejection | undefined {
  for (const { filter, topology, allowed, withoutLabel, reason, reasonWithoutLabel } of constraints) {
    const domain = topology.domainOf[place] ?? -1;
    if (domain < 0 && !withoutLabel) return { filter, reasons: [reasonWithoutLabel] };
    if (domain >= 0 && allowed[domain] !== 1) return { filter, reasons: [reason] };
  }
  return undefined;
}

/** The rejections of all nodes, of which none can have the Pod. */
function rejectionsTally(
  pod: PodInfo,
  snapshot: Snapshot,
  scoring: Scoring,
  constraints: readonly Constraint[],
): Tally {
  if (pod.claims.length > 0 || pod.namedNodes !== undefined) {
    const tally = new Tally();
    for (const rejection of rejections(pod, snapshot).values()) tally.count(rejection, 1);
    return tally;
  }
  const { worth, tally } = evaluationOf(pod, snapshot, scoring);
  if (constraints.length === 0) return tally;
  const all = tally.copy();
  for (let place = 0; place < snapshot.nodes.length; place++) {
    if (worth[place] === Number.NEGATIVE_INFINITY) continue;
    const rejection = rejectionBy(constraints, place);
    if (rejection !== undefined) all.count(rejection, 1);
  }
  return all;
}

function reject(tally: Tally): Decision {
  return { type: 'reject', message: tally.toString(), filters: tally.filters };
}
