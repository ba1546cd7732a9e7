import type { BestPlaces } from './best-places.ts';

/**
 * How one of the nodes that can have a Pod is chosen:
 * - `argmax`: the highest score of the founding paper; among equals the fewest Pods.
 * - `random`: each as likely as any other.
 * - `round-robin`: the next by name after the one that was chosen last.
 * - `least-remaining`: the one with the least room left for Pods like this, so that others stay free for large ones; among
 *   equals the most Pods.
 */
export const strategies = ['argmax', 'random', 'round-robin', 'least-remaining'] as const;
export type Strategy = (typeof strategies)[number];

/** The places of nodes that can have the Pod, in order, and what speaks for each. */
export interface Feasible {
  /** Used up by the choice. */
  readonly places: Int32Array;
  /** By the index in `places`: what the Pod and its neighbours would like. Comes before all else, where there is a strategy. */
  readonly preferences: Float64Array | undefined;
  /** By place. */
  readonly worth: Float64Array;
  readonly podCounts: Int32Array;
}

const second: Readonly<Record<Strategy, number>> = {
  argmax: -1,
  'least-remaining': 1,
  random: 0,
  'round-robin': 0,
};

/** Whether fewer Pods on a node (-1) or more (1) decide between equals, or neither (0). */
export function signOf(strategy: Strategy | undefined): number {
  return strategy === undefined ? 0 : second[strategy];
}

/** The same choice where nodes by themselves decide: `best` knows which of all they are. */
export function selectBest(strategy: Strategy | undefined, best: BestPlaces, seed: number, last: number): number {
  const n = strategy === 'round-robin' ? best.upTo(last) : mixed(seed);
  return best.nth(n % best.count);
}

/**
 * The place of a node, of which there must be one. Without a strategy it is one with the highest sum of preferences and worth,
 * `total`. What is equal after all, `seed` decides; round robin takes the first after `last`.
 */
export function selectPlace(
  strategy: Strategy | undefined,
  feasible: Feasible,
  seed: number,
  last: number,
): { readonly place: number; readonly total: number } {
  const { places, preferences, worth, podCounts } = feasible;
  const sign = signOf(strategy);
  // The best so far stand at the beginning of `places`, where nothing is left to be looked at.
  let equals = 0;
  let [liked, highest, tie] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let at = 0; at < places.length; at++) {
    const place = places[at] ?? 0;
    let preference = preferences === undefined ? 0 : (preferences[at] ?? 0);
    let value = worth[place] ?? 0;
    if (strategy === undefined) {
      value += preference;
      preference = 0;
    }
    if (preference < liked) continue;
    if (preference === liked && value < highest) continue;
    const pods = sign * (podCounts[place] ?? 0);
    if (preference === liked && value === highest) {
      if (pods < tie) continue;
      if (pods === tie) {
        places[equals++] = place;
        continue;
      }
    }
    liked = preference;
    highest = value;
    tie = pods;
    places[0] = place;
    equals = 1;
  }
  const best = places.subarray(0, equals);
  const chosen =
    strategy === 'round-robin' ? (best.find((place) => place > last) ?? best[0]) : best[mixed(seed) % equals];
  return { place: chosen ?? -1, total: liked + highest };
}

/** Spreads neighbouring seeds over all of 32 bits. Source: MurmurHash3's finalizer, https://github.com/aappleby/smhasher */
function mixed(seed: number): number {
  let hash = seed | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
