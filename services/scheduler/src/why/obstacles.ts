import { nodeTaints, type TaintLike, tolerates } from '@navarch/kinds';
import { type Constraint, constraintsOf } from '../constraints.ts';
import { filters } from '../filters.ts';
import { available, type NodeInfo } from '../node-info.ts';
import type { Footprint, PodInfo } from '../pod-info.ts';
import type { PodTerm, SpreadRule } from '../pod-terms.ts';
import type { Snapshot } from '../snapshot.ts';

/** A Pod that is in the way, and its node. */
export interface Holder {
  readonly key: string;
  readonly nodeName: string;
}

/** One thing that keeps a Pod off a node, with the amounts by which it does. */
export type Obstacle = { readonly filter: string } & (
  | {
      readonly type: 'resource';
      readonly resource: string;
      readonly needed: number;
      readonly free: number;
      readonly total: number;
    }
  | { readonly type: 'cordoned' | 'not-ready' | 'node-affinity' }
  | { readonly type: 'taint'; readonly taint: TaintLike }
  | { readonly type: 'label'; readonly label: string; readonly wanted: string; readonly found: string | undefined }
  | { readonly type: 'port'; readonly port: string; readonly holders: readonly Holder[] }
  /** `nodeName` is where its data is; otherwise `problem` says why it can be nowhere. */
  | { readonly type: 'claim'; readonly claim: string; readonly nodeName: string; readonly problem: string | undefined }
  /** `part` is the node's value of the rule's label; undefined where it has none. */
  | {
      readonly type: 'spread';
      readonly rule: SpreadRule;
      readonly part: string | undefined;
      readonly count: number;
      readonly fewest: number;
      readonly most: number;
      readonly holders: readonly Holder[];
    }
  | {
      readonly type: 'near' | 'far' | 'repelled';
      readonly term: PodTerm;
      readonly part: string | undefined;
      readonly holders: readonly Holder[];
    }
  /** Of a filter that has no amounts to tell. */
  | { readonly type: 'other'; readonly reasons: readonly string[] }
);

/** An obstacle before it is known whose it is. */
type Bare = Obstacle extends infer Each ? (Each extends Obstacle ? Omit<Each, 'filter'> : never) : never;

/** All that keeps the Pod off a node, for each node that can't have it, by the node's place. In the order of the filters. */
export function obstaclesOf(pod: PodInfo, snapshot: Snapshot): (place: number) => readonly Obstacle[] {
  const asked = filters.filter(({ concerns }) => concerns?.(pod) ?? true);
  const constraints = constraintsOf(pod, snapshot);
  const holders = holdersOf(snapshot);
  return (place) => {
    const node = snapshot.nodes[place];
    if (node === undefined) throw new RangeError(`there is no node at place ${place}`);
    const own = asked.flatMap(({ name, reject }) => {
      const reasons = reject(pod, node);
      if (reasons.length === 0) return [];
      const bare: readonly Bare[] = amounts[name]?.(pod, node) ?? [{ type: 'other', reasons }];
      return bare.map((each): Obstacle => ({ ...each, filter: name }));
    });
    return [...own, ...constraints.flatMap((constraint) => broken(constraint, node, place, holders))];
  };
}

const hardEffects = ['NoSchedule', 'NoExecute'];

/** What a filter that rejects the node has to tell beyond that, by its name. */
const amounts: Readonly<Record<string, (pod: PodInfo, node: NodeInfo) => readonly Bare[]>> = {
  VolumeBinding: ({ claims }, node) =>
    claims
      .filter(({ problem, nodeName }) => problem !== undefined || (nodeName !== '' && nodeName !== node.name))
      .map(({ name, problem, nodeName }) => ({ type: 'claim', claim: name, nodeName, problem })),
  NodeUnschedulable: () => [{ type: 'cordoned' }],
  NodeReady: () => [{ type: 'not-ready' }],
  TaintToleration: ({ tolerations }, { taints }) =>
    taints
      .filter((taint) => hardEffects.includes(taint.effect) && !tolerations.some((each) => tolerates(each, taint)))
      .map((taint) => ({ type: 'taint', taint })),
  NodeSelector: ({ nodeSelector }, { labels }) =>
    nodeSelector
      .filter(([label, wanted]) => labels[label] !== wanted)
      .map(([label, wanted]) => ({ type: 'label', label, wanted, found: labels[label] })),
  NodeAffinity: () => [{ type: 'node-affinity' }],
  NodePorts: ({ hostPorts }, { name, hostPorts: taken, pods }) =>
    hostPorts
      .filter((port) => taken.has(port))
      .map((port) => ({
        type: 'port',
        port,
        holders: [...pods].flatMap(([key, print]) => (print.hostPorts.includes(port) ? [{ key, nodeName: name }] : [])),
      })),
  NodeResourcesFit: ({ needs }, node) =>
    needs
      .map(({ resource, amount }) => ({ resource, needed: amount, free: available(node, resource) }))
      .filter(({ needed, free }) => needed > free)
      .map((each) => ({ type: 'resource', ...each, total: node.allocatable[each.resource] ?? 0 })),
};

/** The taints that go when a node is uncordoned, and when it becomes ready. */
export const cordonTaints: readonly string[] = [nodeTaints.unschedulable];
export const unreadyTaints: readonly string[] = [nodeTaints.notReady, nodeTaints.unreachable];

type Holders = (counts: Constraint['counts'], topology: Constraint['topology'], domain: number) => readonly Holder[];

function broken(
  { filter, topology, allowed, withoutLabel, counts }: Constraint,
  node: NodeInfo,
  place: number,
  holders: Holders,
): readonly Obstacle[] {
  const domain = topology.domainOf[place] ?? -1;
  if (domain < 0 ? withoutLabel : allowed[domain] === 1) return [];
  const part = node.labels[topology.key];
  const inTheWay = domain < 0 || counts.type === 'near' ? [] : holders(counts, topology, domain);
  if (counts.type !== 'spread') return [{ filter, type: counts.type, term: counts.term, part, holders: inTheWay }];
  const { rule, pods, fewest, most } = counts;
  return [{ filter, type: 'spread', rule, part, count: pods.counts[domain] ?? 0, fewest, most, holders: inTheWay }];
}

/** The Pods that a rule counts in one part of the cluster, each part looked through once. */
function holdersOf(snapshot: Snapshot): Holders {
  const known = new Map<Constraint['counts'], Map<number, readonly Holder[]>>();
  return (counts, topology, domain) => {
    const byDomain = known.get(counts) ?? new Map<number, readonly Holder[]>();
    known.set(counts, byDomain);
    let found = byDomain.get(domain);
    if (found === undefined) {
      found = [...snapshot.nodes].flatMap(({ name, pods }, place) => {
        if (topology.domainOf[place] !== domain) return [];
        return [...pods].flatMap(([key, print]) =>
          isCounted(counts, print, snapshot) ? [{ key, nodeName: name }] : [],
        );
      });
      byDomain.set(domain, found);
    }
    return found;
  };
}

function isCounted(counts: Constraint['counts'], print: Footprint, snapshot: Snapshot): boolean {
  if (counts.type === 'repelled') return print.repels.some(({ key }) => key === counts.term.key);
  const term = counts.type === 'spread' ? counts.rule.counted : counts.term;
  return term.chooses(print.podClass, snapshot.namespaces);
}
