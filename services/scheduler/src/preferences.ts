import { matchesTerm, untolerated } from '@navarch/kinds';
import { countedBy, partsOf } from './constraints.ts';
import type { NodeInfo } from './node-info.ts';
import { everyNode } from './pod-counter.ts';
import type { PodInfo } from './pod-info.ts';
import type { SpreadRule } from './pod-terms.ts';
import type { Score, Wish } from './profiles.ts';
import type { Snapshot } from './snapshot.ts';
import type { DomainCounts } from './topology.ts';

const most = 100;

/**
 * How well the places, all of which can have the Pod, suit what the Pod and those already there would like, each preference
 * on a scale from 0 to 100 times its weight. Undefined when nobody has a preference. The formulas, whole numbers all along,
 * are kube-scheduler's: https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins
 */
export function preferencesOf(
  pod: PodInfo,
  snapshot: Snapshot,
  places: Int32Array,
  preferences: readonly Preference[],
): Float64Array | undefined {
  const { sum, scores } = snapshot.scoreScratch(places.length);
  let any = false;
  for (const { weight, fill } of preferences) {
    if (!fill(pod, snapshot, places, scores)) continue;
    if (!any) sum.fill(0);
    any = true;
    for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] ?? 0) + weight * (scores[at] ?? 0);
  }
  return any ? sum : undefined;
}

/** Writes a score from 0 to 100 for each place. False when it has none to give. */
type Fill = (pod: PodInfo, snapshot: Snapshot, places: Int32Array, scores: Float64Array) => boolean;

/** A wish, and how often it counts. */
export interface Preference {
  readonly weight: number;
  readonly fill: Fill;
}

const fills: Readonly<Record<Wish, Fill>> = {
  TaintToleration: avoidedTaints,
  NodeAffinity: likedNodes,
  PodTopologySpread: spread,
  InterPodAffinity: nearPods,
};

/** Undefined for plugins that score nodes by themselves. */
export function preferenceOf({ name, weight }: Score): Preference | undefined {
  const fill: Fill | undefined = name in fills ? fills[name as Wish] : undefined; // tested just there
  return fill && { weight, fill };
}

/** Fewer taints that ask the Pod to stay away are better. */
function avoidedTaints(pod: PodInfo, snapshot: Snapshot, places: Int32Array, scores: Float64Array): boolean {
  if (snapshot.softTainted === 0) return false;
  fillFrom(snapshot, places, scores, ({ taints }) => {
    return taints.filter((taint) => untolerated([taint], pod.tolerations, ['PreferNoSchedule']) !== undefined).length;
  });
  const { highest } = rangeOf(scores);
  if (highest <= 0) return false;
  for (let at = 0; at < scores.length; at++) scores[at] = most - Math.floor((most * (scores[at] ?? 0)) / highest);
  return true;
}

function likedNodes({ likedNodes }: PodInfo, snapshot: Snapshot, places: Int32Array, scores: Float64Array): boolean {
  if (likedNodes.length === 0) return false;
  fillFrom(snapshot, places, scores, (node) => {
    return likedNodes.reduce(
      (sum, { weight, preference }) => sum + (preference && matchesTerm(preference, node) ? weight : 0),
      0,
    );
  });
  const { highest } = rangeOf(scores);
  if (highest <= 0) return false;
  for (let at = 0; at < scores.length; at++) scores[at] = Math.floor((most * (scores[at] ?? 0)) / highest);
  return true;
}

/** Parts with fewer of the Pod's like are better; of parts that are many each matters more. */
function spread(pod: PodInfo, snapshot: Snapshot, places: Int32Array, scores: Float64Array): boolean {
  const soft = pod.spread.filter(({ hard }) => !hard);
  if (soft.length === 0) return false;
  scores.fill(0);
  for (const rule of soft) addSpread(pod, rule, soft, snapshot, places, scores);
  // What lacks a label is not compared.
  for (let at = 0; at < scores.length; at++) scores[at] = Math.round(scores[at] ?? 0);
  const { lowest, highest } = rangeOf(scores);
  for (let at = 0; at < scores.length; at++) {
    const score = scores[at] ?? 0;
    if (Number.isNaN(score)) scores[at] = 0;
    else scores[at] = highest <= 0 ? most : Math.floor((most * (highest + lowest - score)) / highest);
  }
  return true;
}

/** Adds what the rule says, NaN where the label is missing. */
function addSpread(
  pod: PodInfo,
  rule: SpreadRule,
  rules: readonly SpreadRule[],
  snapshot: Snapshot,
  places: Int32Array,
  scores: Float64Array,
): void {
  const { pods, topology } = snapshot.counter(countedBy(rule.counted, partsOf(pod, rule, rules), snapshot));
  const { domainOf } = topology;
  const seen = new Uint8Array(topology.size);
  let parts = 0;
  for (let at = 0; at < places.length; at++) {
    const domain = domainOf[places[at] ?? 0] ?? -1;
    if (domain < 0 || seen[domain] === 1) continue;
    seen[domain] = 1;
    parts++;
  }
  const weight = Math.log(parts + 2);
  const { counts } = pods;
  for (let at = 0; at < places.length; at++) {
    const domain = domainOf[places[at] ?? 0] ?? -1;
    if (domain < 0) scores[at] = Number.NaN;
    else scores[at] = (scores[at] ?? 0) + (counts[domain] ?? 0) * weight + (rule.maxSkew - 1);
  }
}

/** Near Pods that it likes, and that like it. */
function nearPods(pod: PodInfo, snapshot: Snapshot, places: Int32Array, scores: Float64Array): boolean {
  const liked = pod.draws.filter(({ required }) => !required);
  const likers = snapshot.terms.about(pod.podClass).filter(({ weight }) => weight !== undefined);
  if (liked.length + likers.length === 0) return false;
  scores.fill(0);
  for (const { term, weight } of liked) {
    addWeighted(snapshot.counter(countedBy(term, everyNode, snapshot)).pods, weight, places, scores);
  }
  for (const { pods, weight = 0 } of likers) addWeighted(pods, weight, places, scores);
  const { lowest, highest } = rangeOf(scores);
  if (highest === lowest) return false;
  for (let at = 0; at < scores.length; at++) {
    scores[at] = Math.floor((most * ((scores[at] ?? 0) - lowest)) / (highest - lowest));
  }
  return true;
}

function addWeighted({ topology, counts }: DomainCounts, weight: number, places: Int32Array, sums: Float64Array): void {
  const { domainOf } = topology;
  for (let at = 0; at < places.length; at++) {
    const domain = domainOf[places[at] ?? 0] ?? -1;
    if (domain >= 0) sums[at] = (sums[at] ?? 0) + weight * (counts[domain] ?? 0);
  }
}

function fillFrom(
  { nodes }: Snapshot,
  places: Int32Array,
  scores: Float64Array,
  score: (node: NodeInfo) => number,
): void {
  for (let at = 0; at < places.length; at++) {
    const node = nodes[places[at] ?? 0];
    if (node) scores[at] = score(node);
  }
}

/** Without regard to NaN. */
function rangeOf(scores: Float64Array): { lowest: number; highest: number } {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < scores.length; at++) {
    const score = scores[at] ?? 0;
    if (score < lowest) lowest = score;
    if (score > highest) highest = score;
  }
  return { lowest, highest };
}
