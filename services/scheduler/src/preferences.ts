import { matchesTerm, untolerated } from '@navarch/kinds';
import { countedBy, partsOf } from './constraints.ts';
import type { NodeInfo } from './node-info.ts';
import { everyNode } from './pod-counter.ts';
import type { PodInfo } from './pod-info.ts';
import type { SpreadRule } from './pod-terms.ts';
import type { Score, Wish } from './profiles.ts';
import type { Snapshot } from './snapshot.ts';
import type { DomainCounts, Topology } from './topology.ts';

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
  for (const { weight, concerns, fill } of preferences) {
    if (!concerns(pod, snapshot) || !fill(pod, snapshot, places, scores)) continue;
    if (any) for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] ?? 0) + weight * (scores[at] ?? 0);
    else for (let at = 0; at < sum.length; at++) sum[at] = weight * (scores[at] ?? 0);
    any = true;
  }
  return any ? sum : undefined;
}

/** Writes a score from 0 to 100 for each place. False when it has none to give. */
type Fill = (pod: PodInfo, snapshot: Snapshot, places: Int32Array, scores: Float64Array) => boolean;

/** A wish, and how often it counts. */
export interface Preference {
  readonly weight: number;
  /** Whether it has anything to say of the Pod. */
  readonly concerns: (pod: PodInfo, snapshot: Snapshot) => boolean;
  readonly fill: Fill;
}

const preferences: Readonly<Record<Wish, Omit<Preference, 'weight'>>> = {
  TaintToleration: { concerns: (_, { softTainted }) => softTainted > 0, fill: avoidedTaints },
  NodeAffinity: { concerns: ({ likedNodes }) => likedNodes.length > 0, fill: likedNodes },
  PodTopologySpread: { concerns: ({ spread }) => spread.some(({ hard }) => !hard), fill: spread },
  InterPodAffinity: {
    concerns: ({ draws, podClass }, { terms }) =>
      draws.some(({ required }) => !required) || terms.about(podClass).some(({ weight }) => weight !== undefined),
    fill: nearPods,
  },
};

/** Undefined for plugins that score nodes by themselves. */
export function preferenceOf({ name, weight }: Score): Preference | undefined {
  return name in preferences ? { weight, ...preferences[name as Wish] } : undefined; // tested just there
}

/** Fewer taints that ask the Pod to stay away are better. */
function avoidedTaints(pod: PodInfo, snapshot: Snapshot, places: Int32Array, scores: Float64Array): boolean {
  fillFrom(snapshot, places, scores, ({ taints }) => {
    return taints.filter((taint) => untolerated([taint], pod.tolerations, ['PreferNoSchedule']) !== undefined).length;
  });
  const { highest } = rangeOf(scores);
  if (highest <= 0) return false;
  for (let at = 0; at < scores.length; at++) scores[at] = most - Math.floor((most * (scores[at] ?? 0)) / highest);
  return true;
}

function likedNodes({ likedNodes }: PodInfo, snapshot: Snapshot, places: Int32Array, scores: Float64Array): boolean {
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
  const tables = soft.map((rule) => spreadTable(pod, rule, soft, snapshot, places));
  const [table] = tables;
  if (table !== undefined && tables.length === 1) {
    // Of one rule all nodes of a part get the same: parts are compared, which are few, instead of nodes.
    for (let domain = 0; domain < table.sums.length; domain++) {
      table.sums[domain] = table.seen[domain] === 1 ? Math.round(table.sums[domain] ?? 0) : Number.NaN;
    }
    toSpreadPoints(table.sums);
    scores.fill(0);
    addTable(table, places, scores, 0);
    return true;
  }
  scores.fill(0);
  for (const each of tables) addTable(each, places, scores, Number.NaN);
  for (let at = 0; at < scores.length; at++) scores[at] = Math.round(scores[at] ?? 0);
  toSpreadPoints(scores);
  return true;
}

/** Makes points of sums, of which fewer are better. NaN, for what lacks a label, is not compared and gets nothing. */
function toSpreadPoints(sums: Float64Array): void {
  const { lowest, highest } = rangeOf(sums);
  for (let at = 0; at < sums.length; at++) {
    const sum = sums[at] ?? 0;
    if (Number.isNaN(sum)) sums[at] = 0;
    else sums[at] = highest <= 0 ? most : Math.floor((most * (highest + lowest - sum)) / highest);
  }
}

/** Something of each value of a label, by its number. */
interface DomainTable {
  readonly topology: Topology;
  readonly sums: Float64Array;
  /** 1 where one of the places has the value. */
  readonly seen: Uint8Array;
}

/** What the rule says of each part. */
function spreadTable(
  pod: PodInfo,
  rule: SpreadRule,
  rules: readonly SpreadRule[],
  snapshot: Snapshot,
  places: Int32Array,
): DomainTable {
  const { pods, topology } = snapshot.counter(countedBy(rule.counted, partsOf(pod, rule, rules), snapshot));
  const { domainOf, size } = topology;
  const seen = new Uint8Array(size);
  let parts = 0;
  for (let at = 0; at < places.length && parts < size; at++) {
    const domain = domainOf[places[at] ?? 0] ?? -1;
    if (domain < 0 || seen[domain] === 1) continue;
    seen[domain] = 1;
    parts++;
  }
  const weight = Math.log(parts + 2);
  const sums = new Float64Array(size);
  for (let domain = 0; domain < size; domain++) {
    sums[domain] = (pods.counts[domain] ?? 0) * weight + (rule.maxSkew - 1);
  }
  return { topology, sums, seen };
}

/** Adds to each place what the table says of its value, and `otherwise` where it has none. */
function addTable({ topology, sums }: DomainTable, places: Int32Array, to: Float64Array, otherwise: number): void {
  const { domainOf } = topology;
  for (let at = 0; at < places.length; at++) {
    const domain = domainOf[places[at] ?? 0] ?? -1;
    to[at] = (to[at] ?? 0) + (domain < 0 ? otherwise : (sums[domain] ?? 0));
  }
}

/** Near Pods that it likes, and that like it. */
function nearPods(pod: PodInfo, snapshot: Snapshot, places: Int32Array, scores: Float64Array): boolean {
  const liked = pod.draws.filter(({ required }) => !required);
  const likers = snapshot.terms.about(pod.podClass).filter(({ weight }) => weight !== undefined);
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
