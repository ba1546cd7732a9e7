import { type Filter, filters } from './filters.ts';
import type { Profile } from './profiles.ts';
import { score } from './score.ts';
import { selectNode } from './select-node.ts';
import type { NodeInfo, PodInfo, Snapshot } from './snapshot.ts';

/** Why a node can't have a Pod. */
export interface Rejection {
  readonly filter: string;
  readonly reasons: readonly string[];
}

interface Judged {
  /** Each node that was looked at and can't have the Pod, and why; where the Pod is placed nowhere, that is each node. */
  readonly rejections: ReadonlyMap<string, Rejection>;
}

export type Decision =
  | (Judged & {
      readonly type: 'place';
      readonly nodeName: string;
      readonly score: number;
      /** How many nodes could have had the Pod. */
      readonly feasible: number;
    })
  | (Judged & {
      readonly type: 'reject';
      /** In a sentence: `0/3 nodes are available: 2 Insufficient cpu, 1 node(s) were not ready.` */
      readonly message: string;
      /** The filters that rejected a node: what they are lifted by may help. */
      readonly filters: ReadonlySet<string>;
    });

/** Where a Pod should run. The same arguments always give the same decision. */
export function schedule(pod: PodInfo, snapshot: Snapshot, profile: Profile, seed: number): Decision {
  const asked = filters.filter(({ concerns }) => concerns?.(pod) ?? true);
  // A daemon's Pod names its node: among thousands the others need not be looked at, unless to say why.
  const named = pod.namedNodes && namedOf(snapshot.nodes, pod.namedNodes);
  let { feasible, rejections } = judge(pod, named ?? snapshot.nodes, asked);
  if (feasible.length === 0) {
    if (named !== undefined) ({ feasible, rejections } = judge(pod, snapshot.nodes, asked));
    const names = new Set([...rejections.values()].map(({ filter }) => filter));
    return { type: 'reject', rejections, filters: names, message: explain(rejections) };
  }
  const lastChosen = snapshot.lastChosen.get(profile.schedulerName);
  const node = selectNode(profile.strategy, pod, feasible, seed, lastChosen);
  return { type: 'place', nodeName: node.name, score: score(pod, node), feasible: feasible.length, rejections };
}

function judge(pod: PodInfo, nodes: readonly NodeInfo[], asked: readonly Filter[]) {
  const feasible: NodeInfo[] = [];
  const rejections = new Map<string, Rejection>();
  for (const node of nodes) {
    const rejection = rejectionOf(pod, node, asked);
    if (rejection === undefined) feasible.push(node);
    else rejections.set(node.name, rejection);
  }
  return { feasible, rejections };
}

/** The nodes of these names, of nodes that are sorted by name. */
function namedOf(nodes: readonly NodeInfo[], names: ReadonlySet<string>): readonly NodeInfo[] {
  return [...names].sort().flatMap((name) => {
    let [low, high] = [0, nodes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((nodes[middle]?.name ?? '') < name) low = middle + 1;
      else high = middle;
    }
    const found = nodes[low];
    return found?.name === name ? [found] : [];
  });
}

function rejectionOf(pod: PodInfo, node: NodeInfo, asked: readonly Filter[]): Rejection | undefined {
  for (const filter of asked) {
    const reasons = filter.reject(pod, node);
    if (reasons.length > 0) return { filter: filter.name, reasons };
  }
  return undefined;
}

/** The sentence that users know: how many nodes there are for each reason, the most frequent first. */
export function explain(rejections: ReadonlyMap<string, Rejection>): string {
  if (rejections.size === 0) return 'no nodes available to schedule pods';
  const counts = new Map<string, number>();
  for (const { reasons } of rejections.values()) {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const parts = [...counts]
    .sort(([one, ones], [other, others]) => others - ones || (one < other ? -1 : 1))
    .map(([reason, count]) => `${count} ${reason}`);
  return `0/${rejections.size} nodes are available: ${parts.join(', ')}.`;
}

const byName: ReadonlyMap<string, Filter> = new Map(filters.map((filter) => [filter.name, filter]));

/** Whether what happened may lift a rejection by `names`. */
export function mayHelp(event: Filter['liftedBy'][number], names: ReadonlySet<string>): boolean {
  if (event === 'node-added') return true;
  return [...names].some((name) => byName.get(name)?.liftedBy.includes(event) ?? true);
}
