/**
 * A scheduler that is slow and plain: for each decision it looks at every Pod on every node anew, and knows no counts, no
 * caches and no numbers for labels. The real one must agree with it.
 */
import { matchesTerm, matchesTerms, nodeTaints, requiredTerms, untolerated } from '@navarch/kinds';
import { byteCount, cpuMillis, labelSelectorPredicate, type Live } from '@navarch/machinery';
import type { LabelSelector, Node, Pod, PodAffinityTerm, TopologySpreadConstraint } from '@navarch/proto';
import { type Profile, type Score, usualWishes } from './profiles.ts';
import { pointsOf } from './reference-scores.fixture.ts';

export interface ReferenceWorld {
  readonly nodes: readonly Live<Node>[];
  /** All of them on one of the nodes. */
  readonly pods: readonly Live<Pod>[];
  readonly namespaces: Readonly<Record<string, Record<string, string>>>;
}

/** The names of the nodes that can have the Pod, of those the best, and the score of each. */
export function referenceDecision(
  pod: Live<Pod>,
  world: ReferenceWorld,
  { strategy, scores = usualWishes }: Profile,
  last: string | undefined,
) {
  const able = world.nodes.filter((node) => nodeAdmits(pod, node, world) && othersAdmit(pod, node, world));
  const liking = preferences(pod, able, world, scores);
  let best = highest(able, (node) => liking.get(node) ?? 0);
  const score = (node: Live<Node>) =>
    strategy === undefined ? (liking.get(node) ?? 0) : weightOf(node) * room(pod, node, world);
  if (strategy === 'argmax') {
    best = highest(best, (node) => weightOf(node) * room(pod, node, world));
    best = highest(best, (node) => -podsOn(node, world).length);
  } else if (strategy === 'least-remaining') {
    best = highest(best, (node) => -room(pod, node, world));
    best = highest(best, (node) => podsOn(node, world).length);
  } else if (strategy === 'round-robin') {
    const sorted = best.map(nameOf).sort();
    const next = sorted.find((name) => last === undefined || name > last) ?? sorted[0];
    best = best.filter((node) => nameOf(node) === next);
  }
  const byName = new Map(able.map((node) => [nameOf(node), score(node)]));
  return { able: able.map(nameOf).sort(), best: best.map(nameOf), scores: byName };
}

function highest<T>(items: readonly T[], value: (item: T) => number): readonly T[] {
  const most = Math.max(...items.map(value));
  return items.filter((item) => value(item) === most);
}

function nodeAdmits(pod: Live<Pod>, node: Live<Node>, world: ReferenceWorld): boolean {
  const { spec } = pod;
  const ready = node.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  const ports = podsOn(node, world).flatMap(portsOf);
  const resources = ['cpu', 'memory', 'ephemeral-storage', 'example.com/gpu', 'pods'];
  return (
    (ready || toleratesAll(pod, nodeTaints.notReady)) &&
    (!node.spec.unschedulable || toleratesAll(pod, nodeTaints.unschedulable)) &&
    untolerated(node.spec.taints, spec.tolerations, ['NoSchedule', 'NoExecute']) === undefined &&
    admits(pod, node) &&
    !portsOf(pod).some((port) => ports.includes(port)) &&
    // What it does not request may be overdrawn, by a node that shrank.
    resources.every((resource) => request(pod, resource) <= Math.max(0, free(node, resource, world)))
  );
}

function toleratesAll({ spec }: Live<Pod>, key: string): boolean {
  return untolerated([{ key, value: '', effect: 'NoSchedule' }], spec.tolerations, ['NoSchedule']) === undefined;
}

function othersAdmit(pod: Live<Pod>, node: Live<Node>, world: ReferenceWorld): boolean {
  const hard = pod.spec.topologySpreadConstraints.filter((rule) => rule.whenUnsatisfiable === 'DoNotSchedule');
  if (!hard.every((rule) => spreads(pod, node, rule, hard, world))) return false;
  for (const other of world.pods) {
    const terms = other.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const repels = (term: PodAffinityTerm) => chosen(term, other, pod, world) && near(nodeOf(other, world), node, term);
    if (terms.some(repels)) return false;
  }
  const away = pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const met = (term: PodAffinityTerm) =>
    world.pods.some((other) => chosen(term, pod, other, world) && near(nodeOf(other, world), node, term));
  if (away.some(met)) return false;
  return nearEnough(pod, node, world);
}

function nearEnough(pod: Live<Pod>, node: Live<Node>, world: ReferenceWorld): boolean {
  const terms = pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  if (!terms.every(({ topologyKey }) => node.metadata.labels[topologyKey] !== undefined)) return false;
  const all = (other: Live<Pod>) => terms.every((term) => chosen(term, pod, other, world));
  const friends = world.pods.filter(all);
  const anywhere = friends.filter((friend) =>
    terms.some(({ topologyKey }) => nodeOf(friend, world).metadata.labels[topologyKey] !== undefined),
  );
  if (anywhere.length === 0 && all(pod)) return true;
  return terms.every((term) => friends.some((friend) => near(nodeOf(friend, world), node, term)));
}

function spreads(
  pod: Live<Pod>,
  node: Live<Node>,
  rule: TopologySpreadConstraint,
  rules: readonly TopologySpreadConstraint[],
  world: ReferenceWorld,
): boolean {
  const { topologyKey, maxSkew, minDomains = 1 } = rule;
  const value = node.metadata.labels[topologyKey];
  if (value === undefined) return false;
  const counts = countsOf(pod, rule, rules, world);
  const fewest = counts.size < minDomains ? 0 : Math.min(...counts.values());
  const itself = counted(rule, pod, pod) ? 1 : 0;
  return (counts.get(value) ?? 0) + itself - fewest <= maxSkew;
}

/** How many Pods each part has that counts as one. */
function countsOf(
  pod: Live<Pod>,
  rule: TopologySpreadConstraint,
  rules: readonly TopologySpreadConstraint[],
  world: ReferenceWorld,
): Map<string, number> {
  const parts = world.nodes.filter(
    (node) =>
      rules.every(({ topologyKey }) => node.metadata.labels[topologyKey] !== undefined) &&
      (rule.nodeAffinityPolicy === 'Ignore' || admits(pod, node)) &&
      (rule.nodeTaintsPolicy !== 'Honor' ||
        untolerated(node.spec.taints, pod.spec.tolerations, ['NoSchedule', 'NoExecute']) === undefined),
  );
  const counts = new Map<string, number>();
  for (const node of parts) {
    const value = node.metadata.labels[rule.topologyKey] ?? '';
    const own = podsOn(node, world).filter((other) => counted(rule, pod, other)).length;
    counts.set(value, (counts.get(value) ?? 0) + own);
  }
  return counts;
}

function preferences(
  pod: Live<Pod>,
  able: readonly Live<Node>[],
  world: ReferenceWorld,
  scores: readonly Score[],
): Map<Live<Node>, number> {
  const sums = new Map(able.map((node) => [node, 0]));
  const add = (name: Score['name'], score: (node: Live<Node>) => number) => {
    const weight = scores.find((each) => each.name === name)?.weight ?? 0;
    for (const node of able) sums.set(node, (sums.get(node) ?? 0) + weight * score(node));
  };
  for (const score of scores) add(score.name, (node) => pointsOf(score, pod, node, podsOn(node, world), world.nodes));
  const avoided = (node: Live<Node>) =>
    node.spec.taints.filter((taint) => untolerated([taint], pod.spec.tolerations, ['PreferNoSchedule'])).length;
  const worst = Math.max(0, ...able.map(avoided));
  if (worst > 0) add('TaintToleration', (node) => 100 - Math.floor((100 * avoided(node)) / worst));
  const terms = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const liked = (node: Live<Node>) =>
    terms.reduce(
      (sum, { weight, preference }) => sum + (preference && matchesTerm(preference, traits(node)) ? weight : 0),
      0,
    );
  const best = Math.max(0, ...able.map(liked));
  if (best > 0) add('NodeAffinity', (node) => Math.floor((100 * liked(node)) / best));
  add('PodTopologySpread', spreadScore(pod, able, world));
  add('InterPodAffinity', nearScore(pod, able, world));
  return sums;
}

function spreadScore(pod: Live<Pod>, able: readonly Live<Node>[], world: ReferenceWorld): (node: Live<Node>) => number {
  const rules = pod.spec.topologySpreadConstraints.filter((rule) => rule.whenUnsatisfiable === 'ScheduleAnyway');
  if (rules.length === 0) return () => 0;
  const scored = able.filter((node) =>
    rules.every(({ topologyKey }) => node.metadata.labels[topologyKey] !== undefined),
  );
  const raw = (node: Live<Node>) =>
    Math.round(
      rules.reduce((sum, rule) => {
        const parts = new Set(able.flatMap(({ metadata }) => metadata.labels[rule.topologyKey] ?? [])).size;
        const count = countsOf(pod, rule, rules, world).get(node.metadata.labels[rule.topologyKey] ?? '') ?? 0;
        return sum + (count * Math.log(parts + 2) + (rule.maxSkew - 1));
      }, 0),
    );
  const scores = scored.map(raw);
  const [most, least] = [Math.max(0, ...scores), Math.min(...scores)];
  return (node) => {
    if (!scored.includes(node)) return 0;
    return most === 0 ? 100 : Math.floor((100 * (most + least - raw(node))) / most);
  };
}

function nearScore(pod: Live<Pod>, able: readonly Live<Node>[], world: ReferenceWorld): (node: Live<Node>) => number {
  const raw = (node: Live<Node>) =>
    world.pods.reduce((sum, other) => {
      const there = nodeOf(other, world);
      const count = (terms: readonly Weighted[], holder: Live<Pod>, guest: Live<Pod>) =>
        terms
          .filter(({ term }) => chosen(term, holder, guest, world) && near(there, node, term))
          .reduce((total, { weight }) => total + weight, 0);
      const required = other.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
      const demands = required.map((term) => ({ term, weight: 1 }));
      return sum + count(wishes(pod), pod, other) + count(wishes(other), other, pod) + count(demands, other, pod);
    }, 0);
  const scores = able.map(raw);
  const [most, least] = [Math.max(...scores), Math.min(...scores)];
  return (node) => (most === least ? 0 : Math.floor((100 * (raw(node) - least)) / (most - least)));
}

interface Weighted {
  readonly term: PodAffinityTerm;
  readonly weight: number;
}

function wishes({ spec }: Live<Pod>): readonly Weighted[] {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  const weigh = (sign: number) => (each: { podAffinityTerm: PodAffinityTerm | undefined; weight: number }) =>
    each.podAffinityTerm === undefined ? [] : [{ term: each.podAffinityTerm, weight: sign * each.weight }];
  return [
    ...(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(weigh(1)),
    ...(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(weigh(-1)),
  ];
}

/** Whether the term of `holder` chooses `other`. */
function chosen(term: PodAffinityTerm, holder: Live<Pod>, other: Live<Pod>, { namespaces }: ReferenceWorld): boolean {
  const { namespace } = other.metadata;
  const own = term.namespaces.length === 0 && term.namespaceSelector === undefined;
  const inNamespace = own
    ? namespace === holder.metadata.namespace
    : term.namespaces.includes(namespace) ||
      (term.namespaceSelector !== undefined &&
        labelSelectorPredicate(term.namespaceSelector)(namespaces[namespace] ?? {}));
  return inNamespace && selected(term.labelSelector, term.matchLabelKeys, term.mismatchLabelKeys, holder, other);
}

function counted(rule: TopologySpreadConstraint, holder: Live<Pod>, other: Live<Pod>): boolean {
  return (
    other.metadata.namespace === holder.metadata.namespace &&
    selected(rule.labelSelector, rule.matchLabelKeys, [], holder, other)
  );
}

function selected(
  selector: LabelSelector | undefined,
  same: readonly string[],
  different: readonly string[],
  holder: Live<Pod>,
  other: Live<Pod>,
): boolean {
  const [mine, theirs] = [holder.metadata.labels, other.metadata.labels];
  return (
    labelSelectorPredicate(selector)(theirs) &&
    same.every((key) => mine[key] === undefined || mine[key] === theirs[key]) &&
    different.every((key) => mine[key] === undefined || mine[key] !== theirs[key])
  );
}

function near(one: Live<Node>, other: Live<Node>, { topologyKey }: PodAffinityTerm): boolean {
  const value = one.metadata.labels[topologyKey];
  return value !== undefined && value === other.metadata.labels[topologyKey];
}

function admits({ spec }: Live<Pod>, node: Live<Node>): boolean {
  const terms = requiredTerms(spec.affinity);
  return (
    Object.entries(spec.nodeSelector).every(([label, value]) => node.metadata.labels[label] === value) &&
    (terms === undefined || matchesTerms(terms, traits(node)))
  );
}

function traits({ metadata }: Live<Node>) {
  return { name: metadata.name, labels: metadata.labels };
}

function nameOf({ metadata }: Live<Node>): string {
  return metadata.name;
}

function nodeOf({ spec }: Live<Pod>, { nodes }: ReferenceWorld): Live<Node> {
  const node = nodes.find(({ metadata }) => metadata.name === spec.nodeName);
  if (node === undefined) throw new Error(`there is no node ${spec.nodeName}`);
  return node;
}

function podsOn({ metadata }: Live<Node>, { pods }: ReferenceWorld): readonly Live<Pod>[] {
  return pods.filter(({ spec }) => spec.nodeName === metadata.name);
}

function portsOf({ spec }: Live<Pod>): readonly number[] {
  return spec.containers.flatMap(({ ports }) => ports.map(({ hostPort }) => hostPort).filter((port) => port > 0));
}

function request({ spec }: Live<Pod>, resource: string): number {
  if (resource === 'pods') return 1;
  return spec.containers.reduce((sum, { resources }) => sum + amount(resource, resources?.requests[resource]), 0);
}

function free(node: Live<Node>, resource: string, world: ReferenceWorld): number {
  const used = podsOn(node, world).reduce((sum, pod) => sum + request(pod, resource), 0);
  return amount(resource, node.status.allocatable[resource]) - used;
}

function amount(resource: string, text: string | undefined): number {
  return resource === 'cpu' ? cpuMillis(text) : byteCount(text);
}

function room(pod: Live<Pod>, node: Live<Node>, world: ReferenceWorld): number {
  return Object.keys(pod.spec.containers[0]?.resources?.requests ?? {})
    .filter((resource) => request(pod, resource) > 0)
    .reduce((sum, resource) => sum + free(node, resource, world) / request(pod, resource), 0);
}

function weightOf({ metadata }: Live<Node>): number {
  return Number(metadata.annotations['scheduling.navarch.io/weight'] ?? 1);
}
