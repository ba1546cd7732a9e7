import type { Resource } from '@navarch/proto';

/** One version of an object, or its end. */
export interface Version {
  readonly revision: bigint;
  /** Undefined: the object was deleted. */
  readonly resource: Resource | undefined;
  readonly time: string;
  /** Between this and the next older version there were others. */
  readonly gap: boolean;
}

/**
 * Puts the versions of one object together from several sources that know some of them each. What ended a version is known,
 * too, so that a version which nobody has kept leaves a gap that shows.
 */
export class Versions {
  readonly #resources = new Map<bigint, Resource | undefined>();
  readonly #times = new Map<bigint, string>();
  /** By a version's revision, the revision that came after it. */
  readonly #ends = new Map<bigint, bigint>();

  get size(): number {
    return this.#resources.size;
  }

  add(revision: bigint, resource: Resource): void {
    this.#resources.set(revision, resource);
  }

  addDeletion(revision: bigint): void {
    this.#resources.set(revision, undefined);
  }

  /** The version of `revision` ended at `at`, when another came or the object went. */
  addEnd(revision: bigint, at: bigint): void {
    this.#ends.set(revision, at);
  }

  addTime(revision: bigint, time: string): void {
    if (time !== '') this.#times.set(revision, time);
  }

  /** The newest deletion that is known up to `revision`. */
  deletionBefore(revision: bigint): bigint | undefined {
    let newest: bigint | undefined;
    for (const [at, resource] of this.#resources) {
      if (resource === undefined && at <= revision && (newest === undefined || at > newest)) newest = at;
    }
    return newest;
  }

  /** The newest first. */
  newest(limit: number): Version[] {
    const sorted = [...this.#resources].sort(([a], [b]) => (a < b ? 1 : -1));
    return sorted.slice(0, limit).map(([revision, resource], index) => {
      const [older, olderResource] = sorted[index + 1] ?? [];
      // Nothing is known of what came after a deletion; but what did would have been kept.
      const gap = older !== undefined && olderResource !== undefined && this.#ends.get(older) !== revision;
      return { revision, resource, time: this.#times.get(revision) ?? '', gap };
    });
  }
}
