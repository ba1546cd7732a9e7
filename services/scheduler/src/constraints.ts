import { matchesTerms, untolerated } from '@navarch/kinds';
import type { NodeFacts } from './node-info.ts';
import { type Counted, everyNode, type NodeSet } from './pod-counter.ts';
import type { PodInfo } from './pod-info.ts';
import type { PodTerm, SpreadRule } from './pod-terms.ts';
import type { Snapshot } from './snapshot.ts';
import type { DomainCounts, Topology } from './topology.ts';

/** The Pods that a rule counts, and what it makes of the counts: for explanations. */
export type Counts =
  | {
      readonly type: 'spread';
      readonly rule: SpreadRule;
      readonly pods: DomainCounts;
      /** Pods where there are fewest of them. */
      readonly fewest: number;
      /** The most that a part may have before the Pod comes. */
      readonly most: number;
    }
  | Near
  | Apart;
interface Near {
  readonly type: 'near';
  readonly term: PodTerm;
  readonly pods: DomainCounts;
}
interface Apart {
  readonly type: 'far' | 'repelled';
  readonly term: PodTerm;
  readonly pods: DomainCounts;
}

/** A rule about other Pods: by the value of one label it says which nodes can have the Pod. */
export interface Constraint {
  readonly filter: 'PodTopologySpread' | 'InterPodAffinity';
  readonly topology: Topology;
  /** By the number of the node's value: 1 where the rule is met. */
  readonly allowed: Uint8Array;
  /** Whether a node without the label can have the Pod. */
  readonly withoutLabel: boolean;
  /** Why not, in kubectl users' words. */
  readonly reason: string;
  readonly reasonWithoutLabel: string;
  readonly counts: Counts;
}

const spreadReason = "node(s) didn't match pod topology spread constraints";
const reasons = {
  near: "node(s) didn't match pod affinity rules",
  far: "node(s) didn't match pod anti-affinity rules",
  repelled: "node(s) didn't satisfy existing pods anti-affinity rules",
};

const none: readonly Constraint[] = [];

/** The rules that a node must meet to have the Pod, in the order in which they speak. */
export function constraintsOf(pod: PodInfo, snapshot: Snapshot): readonly Constraint[] {
  const { spread, repels, needsNear } = pod;
  const others = snapshot.terms.about(pod.podClass);
  if (spread.length + repels.length + needsNear.length + others.length === 0) return none;
  const hard = spread.filter((rule) => rule.hard);
  return [
    ...hard.map((rule) => spreads(pod, rule, partsOf(pod, rule, hard), snapshot)),
    ...repelled(pod, snapshot),
    ...repels.map((term) => staysAway(term, snapshot)),
    ...near(pod, snapshot),
  ];
}

/** Which nodes count as parts of the cluster over which the Pod is spread by `rules` together. */
export function partsOf(pod: PodInfo, rule: SpreadRule, rules: readonly SpreadRule[]): NodeSet {
  const keys = rules.map(({ topologyKey }) => topologyKey);
  const { nodeSelector, terms, tolerations } = pod;
  const affinity = rule.honorsAffinity && (nodeSelector.length > 0 || terms !== undefined);
  const has = (node: NodeFacts) =>
    keys.every((key) => node.labels[key] !== undefined) &&
    (!affinity || admits(pod, node)) &&
    (!rule.honorsTaints || untolerated(node.taints, tolerations, ['NoSchedule', 'NoExecute']) === undefined);
  const key = JSON.stringify([keys, affinity && [nodeSelector, terms], rule.honorsTaints && tolerations]);
  return { key, has };
}

function admits({ nodeSelector, terms }: PodInfo, node: NodeFacts): boolean {
  return (
    nodeSelector.every(([label, value]) => node.labels[label] === value) &&
    (terms === undefined || matchesTerms(terms, node))
  );
}

/** The Pods that a term chooses, on some of the nodes. */
export function countedBy(term: PodTerm, nodes: NodeSet, snapshot: Snapshot): Counted {
  return {
    key: `${term.key} ${nodes.key}`,
    topologyKey: term.topologyKey,
    nodes,
    chooses: (podClass) => term.chooses(podClass, snapshot.namespaces),
    byNamespaceLabels: term.byNamespaceLabels,
  };
}

/** Source: https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/ */
function spreads(pod: PodInfo, rule: SpreadRule, parts: NodeSet, snapshot: Snapshot): Constraint {
  const { pods, nodes, topology } = snapshot.counter(countedBy(rule.counted, parts, snapshot));
  let fewest = Number.POSITIVE_INFINITY;
  let domains = 0;
  for (let domain = 0; domain < topology.size; domain++) {
    if ((nodes.counts[domain] ?? 0) === 0) continue;
    domains++;
    const count = pods.counts[domain] ?? 0;
    if (count < fewest) fewest = count;
  }
  if (domains < rule.minDomains) fewest = 0;
  const itself = rule.counted.chooses(pod.podClass, snapshot.namespaces) ? 1 : 0;
  const most = fewest + rule.maxSkew - itself;
  return {
    filter: 'PodTopologySpread',
    topology,
    allowed: whereAtMost(pods, most),
    withoutLabel: false,
    reason: spreadReason,
    reasonWithoutLabel: `${spreadReason} (missing required label)`,
    counts: { type: 'spread', rule, pods, fewest, most },
  };
}

function repelled({ podClass }: PodInfo, snapshot: Snapshot): readonly Constraint[] {
  return snapshot.terms
    .about(podClass)
    .filter(({ weight }) => weight === undefined)
    .map(({ term, pods }) => empty({ type: 'repelled', term, pods }));
}

function staysAway(term: PodTerm, snapshot: Snapshot): Constraint {
  return empty({ type: 'far', term, pods: snapshot.counter(countedBy(term, everyNode, snapshot)).pods });
}

/** Pods count that all terms choose. The first of Pods that need one another is placed anywhere. */
function near(pod: PodInfo, snapshot: Snapshot): readonly Constraint[] {
  const { needsNear, podClass } = pod;
  const chooses: Counted['chooses'] = (other) => needsNear.every((term) => term.chooses(other, snapshot.namespaces));
  const all = needsNear.map(({ key }) => key).join(' ');
  const counts = needsNear.map((term) => {
    const { topologyKey, byNamespaceLabels } = term;
    const key = `${all} at ${topologyKey}`;
    return { term, pods: snapshot.counter({ key, topologyKey, nodes: everyNode, chooses, byNamespaceLabels }).pods };
  });
  const first = counts.every(({ pods }) => pods.total === 0) && chooses(podClass);
  return counts.map(({ term, pods }) => ({
    filter: 'InterPodAffinity',
    topology: pods.topology,
    allowed: first ? new Uint8Array(pods.topology.size).fill(1) : whereSome(pods),
    withoutLabel: false,
    reason: reasons.near,
    reasonWithoutLabel: reasons.near,
    counts: { type: 'near', term, pods },
  }));
}

function empty(counts: Apart): Constraint {
  const { type, pods } = counts;
  const reason = reasons[type];
  return {
    filter: 'InterPodAffinity',
    topology: pods.topology,
    allowed: whereAtMost(pods, 0),
    withoutLabel: true,
    reason,
    reasonWithoutLabel: reason,
    counts,
  };
}

function whereAtMost({ topology, counts }: DomainCounts, most: number): Uint8Array {
  const allowed = new Uint8Array(topology.size);
  for (let domain = 0; domain < allowed.length; domain++) {
    if ((counts[domain] ?? 0) <= most) allowed[domain] = 1;
  }
  return allowed;
}

function whereSome({ topology, counts }: DomainCounts): Uint8Array {
  const allowed = new Uint8Array(topology.size);
  for (let domain = 0; domain < allowed.length; domain++) {
    if ((counts[domain] ?? 0) > 0) allowed[domain] = 1;
  }
  return allowed;
}
