/**
 * What is put right:
 * - `violations`: Pods that break on their node what they require of it now: taints, labels, spread, affinity between Pods.
 * - `duplicates`: several Pods of one owner on a node, where another node has fewer of them.
 * - `spread`: nodes that are much fuller than others.
 * - `pack`: the emptiest node, if all its Pods find fuller ones. Needs profiles that pack: others would bring them back.
 */
export const goals = ['violations', 'duplicates', 'spread', 'pack'] as const;
export type Goal = (typeof goals)[number];

/** How much is moved, how often, and what for. */
export interface RebalancingPolicy {
  /** In this order. */
  readonly goals: readonly Goal[];
  /** Time between rounds. */
  readonly intervalMs: number;
  /** In one round, and of one owner one. */
  readonly maxMoves: number;
  /** For `spread`: by how much the fuller of the two nodes has to become emptier, as a part of the node. */
  readonly minimumGain: number;
  /** A Pod that is younger is not moved: so one that was moved stays for so long. */
  readonly settleMs: number;
}

export const usualPolicy: Omit<RebalancingPolicy, 'goals'> = {
  intervalMs: 60_000,
  maxMoves: 5,
  minimumGain: 0.1,
  settleMs: 600_000,
};
