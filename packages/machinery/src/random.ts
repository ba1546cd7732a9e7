/** Choices that repeat with their seed. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  /** True so often: 0 never, 1 always. */
  chance(probability: number): boolean;
  /** One of `items`, of which there must be one. */
  pick<T>(items: readonly T[]): T;
}

/** A generator after Tommy Ettinger's Mulberry32, with 2^32 different beginnings. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('there is nothing to pick from');
      // Within the list, as just seen; it may hold undefined on purpose.
      return items[below(items.length)] as (typeof items)[number];
    },
  };
}
