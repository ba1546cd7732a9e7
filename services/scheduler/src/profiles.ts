import type { Strategy } from './select-node.ts';

/** How Pods that name it in `spec.schedulerName` are placed. */
export interface Profile {
  readonly schedulerName: string;
  /** The founding paper's way of choosing among nodes, in place of scores of resources. Without it the highest sum of `scores` wins. */
  readonly strategy?: Strategy;
  /** What counts, and how much. With a strategy they come before it. Default: what Pods wish for, by the usual weights. */
  readonly scores?: readonly Score[];
}

/** One plugin that gives nodes points from 0 to 100, which count `weight` times. */
export type Score =
  | { readonly name: Wish; readonly weight: number }
  | { readonly name: 'NodeResourcesFit'; readonly weight: number; readonly scoringStrategy: ScoringStrategy }
  | {
      readonly name: 'NodeResourcesBalancedAllocation';
      readonly weight: number;
      readonly resources: readonly WeightedResource[];
    }
  | { readonly name: 'ImageLocality'; readonly weight: number };

/** What Pods, and the nodes they could have, would like: the plugins that strategies go along with. */
export const wishes = ['TaintToleration', 'NodeAffinity', 'PodTopologySpread', 'InterPodAffinity'] as const;
export type Wish = (typeof wishes)[number];

/** How much of a node being taken is good: little, much, or as a line through points says. */
export interface ScoringStrategy {
  readonly type: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio';
  readonly resources: readonly WeightedResource[];
  readonly requestedToCapacityRatio?: { readonly shape: readonly ShapePoint[] };
}

export interface WeightedResource {
  readonly name: string;
  readonly weight: number;
}

/** At so many hundredths of a resource being taken a node has so many of ten points. */
export interface ShapePoint {
  readonly utilization: number;
  readonly score: number;
}

/** kube-scheduler's. Source: https://kubernetes.io/docs/reference/scheduling/config/ */
export const usualWeights: Readonly<Record<Score['name'], number>> = {
  NodeResourcesFit: 1,
  NodeResourcesBalancedAllocation: 1,
  ImageLocality: 1,
  TaintToleration: 3,
  NodeAffinity: 2,
  PodTopologySpread: 2,
  InterPodAffinity: 2,
};

export const usualResources: readonly WeightedResource[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];

/** What every profile heeds that doesn't say otherwise. */
export const usualWishes: readonly Score[] = wishes.map((name) => ({ name, weight: usualWeights[name] }));

/** Those of a scheduler that is not told otherwise: the founding paper's strategies by their names, and the field's usual plugins. */
export const defaultProfiles: readonly Profile[] = [
  { schedulerName: 'default-scheduler', strategy: 'argmax' },
  { schedulerName: 'argmax', strategy: 'argmax' },
  { schedulerName: 'random', strategy: 'random' },
  { schedulerName: 'round-robin', strategy: 'round-robin' },
  { schedulerName: 'least-remaining', strategy: 'least-remaining' },
  {
    schedulerName: 'kubernetes-defaults',
    scores: [
      {
        name: 'NodeResourcesFit',
        weight: usualWeights.NodeResourcesFit,
        scoringStrategy: { type: 'LeastAllocated', resources: usualResources },
      },
      {
        name: 'NodeResourcesBalancedAllocation',
        weight: usualWeights.NodeResourcesBalancedAllocation,
        resources: usualResources,
      },
      { name: 'ImageLocality', weight: usualWeights.ImageLocality },
      ...usualWishes,
    ],
  },
];
