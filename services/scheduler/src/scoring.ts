import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import { type Preference, preferenceOf } from './preferences.ts';
import { type Profile, type Score, usualWishes } from './profiles.ts';
import { balance, type NodeScore, resourceFit } from './resource-scores.ts';
import { room, score } from './score.ts';
import type { Strategy } from './select-node.ts';
import type { Snapshot } from './snapshot.ts';

/** A profile, made ready for thousands of decisions. */
export interface Scoring {
  readonly strategy: Strategy | undefined;
  /** What is compared among the nodes that can have the Pod. */
  readonly preferences: readonly Preference[];
  /** What nodes by themselves are worth to the Pod. */
  readonly worth: (pod: PodInfo, snapshot: Snapshot) => NodeScore;
  /** Equal for Pods of one shape to which nodes by themselves are worth the same. */
  readonly keyOf: (pod: PodInfo, snapshot: Snapshot) => string;
}

const known = new WeakMap<Profile, Scoring>();

export function scoringOf(profile: Profile): Scoring {
  let scoring = known.get(profile);
  if (scoring === undefined) {
    scoring = toScoring(profile);
    known.set(profile, scoring);
  }
  return scoring;
}

function toScoring({ strategy, scores = usualWishes }: Profile): Scoring {
  const preferences = scores.flatMap((each) => preferenceOf(each) ?? []);
  if (strategy !== undefined) {
    return { strategy, preferences, worth: (pod) => strategyWorth[strategy](pod), keyOf: () => strategy };
  }
  const key = JSON.stringify(scores.filter((each) => preferenceOf(each) === undefined));
  const localizes = scores.some(({ name }) => name === 'ImageLocality');
  return {
    strategy,
    preferences,
    worth: (pod, snapshot) => sumOf(scores, pod, snapshot),
    keyOf: localizes ? ({ images }, snapshot) => key + snapshot.images.keyOf(images) : () => key,
  };
}

/** What a node by itself is worth to each strategy. */
const strategyWorth: Readonly<Record<Strategy, (pod: PodInfo) => NodeScore>> = {
  argmax: (pod) => (node) => score(pod, node),
  'least-remaining': (pod) => (node) => -room(pod, node),
  random: () => () => 0,
  'round-robin': () => () => 0,
};

/** The points that plugins give to nodes by themselves, by their weights. */
function sumOf(scores: readonly Score[], pod: PodInfo, snapshot: Snapshot): NodeScore {
  const parts = scores.flatMap((each) => {
    const score = nodeScore(each, pod, snapshot);
    return score === undefined ? [] : [{ weight: each.weight, score }];
  });
  return (node: NodeInfo) => {
    let sum = 0;
    for (const { weight, score } of parts) sum += weight * score(node);
    return sum;
  };
}

function nodeScore(score: Score, pod: PodInfo, snapshot: Snapshot): NodeScore | undefined {
  switch (score.name) {
    case 'NodeResourcesFit':
      return resourceFit(score.scoringStrategy, pod);
    case 'NodeResourcesBalancedAllocation':
      return balance(score.resources, pod);
    case 'ImageLocality':
      return snapshot.images.score(pod.images);
    default:
      return undefined;
  }
}
