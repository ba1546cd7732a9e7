import { room, score } from './score.ts';
import type { NodeInfo, PodInfo } from './snapshot.ts';

/**
 * How one of the nodes that can have a Pod is chosen:
 * - `argmax`: the highest score.
 * - `random`: each as likely as any other.
 * - `round-robin`: the next by name after the one that was chosen last.
 * - `least-remaining`: the one with the least room left for Pods like this, so that others stay free for large ones.
 */
export const strategies = ['argmax', 'random', 'round-robin', 'least-remaining'] as const;
export type Strategy = (typeof strategies)[number];

/**
 * One of `nodes`, which are sorted by name and not empty. Where nodes are equal, argmax prefers the one with the fewest Pods
 * (so that Pods that request nothing spread) and least-remaining the one with the most; what is equal then, `seed` decides.
 */
export function selectNode(
  strategy: Strategy,
  pod: PodInfo,
  nodes: readonly NodeInfo[],
  seed: number,
  lastChosen: string | undefined,
): NodeInfo {
  switch (strategy) {
    case 'argmax':
      return best(
        nodes,
        (node) => score(pod, node),
        (node) => -node.pods,
        seed,
      );
    case 'least-remaining':
      return best(
        nodes,
        (node) => -room(pod, node),
        (node) => node.pods,
        seed,
      );
    case 'random':
      return pick(nodes, seed);
    case 'round-robin':
      return nodes.find(({ name }) => lastChosen === undefined || name > lastChosen) ?? first(nodes);
    default:
      return strategy satisfies never;
  }
}

/** A node that ranks highest, and among those that do, highest by `second`. */
function best(
  nodes: readonly NodeInfo[],
  rank: (node: NodeInfo) => number,
  second: (node: NodeInfo) => number,
  seed: number,
): NodeInfo {
  let equals: NodeInfo[] = [];
  let highest = 0;
  let highestSecond = 0;
  for (const node of nodes) {
    const ranked = rank(node);
    if (equals.length > 0 && ranked < highest) continue;
    const rankedSecond = second(node);
    if (equals.length === 0 || ranked > highest || rankedSecond > highestSecond) {
      equals = [node];
      highest = ranked;
      highestSecond = rankedSecond;
    } else if (rankedSecond === highestSecond) equals.push(node);
  }
  return pick(equals, seed);
}

function pick(nodes: readonly NodeInfo[], seed: number): NodeInfo {
  return nodes[mixed(seed) % nodes.length] ?? first(nodes);
}

function first(nodes: readonly NodeInfo[]): NodeInfo {
  const [node] = nodes;
  if (node === undefined) throw new Error('there is no node to choose from');
  return node;
}

/** Spreads neighbouring seeds over all of 32 bits. Source: MurmurHash3's finalizer, https://github.com/aappleby/smhasher */
function mixed(seed: number): number {
  let hash = seed | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
