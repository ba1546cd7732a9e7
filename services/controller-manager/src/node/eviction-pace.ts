import type { Zone } from './zones.ts';

/** When a node of each zone was given up last, so that the next is not given up too soon. On the monotonic clock. */
export class EvictionPace {
  readonly #lastMs = new Map<string, number>();

  /** Whether one more node of the zone may be given up now. */
  allows(zone: string, { rate }: Pick<Zone, 'rate'>, nowMs: number): boolean {
    if (rate <= 0) return false;
    return nowMs - (this.#lastMs.get(zone) ?? Number.NEGATIVE_INFINITY) >= 1000 / rate;
  }

  /** A node of the zone was given up then. */
  gaveUp(zone: string, atMs: number): void {
    this.#lastMs.set(zone, Math.max(atMs, this.#lastMs.get(zone) ?? Number.NEGATIVE_INFINITY));
  }
}
