import { compareKeys } from './keys.ts';
import type { Entry } from './store.ts';

interface Version {
  readonly revision: bigint;
  /** Undefined: deleted at this revision. */
  readonly entry: Entry | undefined;
}

/** A sorted map that remembers what each key held at every revision since the last compaction. */
export class VersionedMap {
  /** In key order, also those that are deleted but whose past is still readable. */
  #keys: string[] = [];
  /** By key, oldest first, never empty. */
  readonly #versions = new Map<string, Version[]>();

  get(key: string, revision: bigint): Entry | undefined {
    const versions = this.#versions.get(key);
    return versions && versionAt(versions, revision)?.entry;
  }

  *entries(prefix: string, startAfter: string | undefined, revision: bigint): Iterable<Entry> {
    const after = startAfter !== undefined && compareKeys(startAfter, prefix) >= 0;
    let index = this.#lowerBound(after ? startAfter : prefix);
    if (after && this.#keys[index] === startAfter) index++;
    for (; index < this.#keys.length; index++) {
      const key = this.#keys[index] ?? '';
      if (!key.startsWith(prefix)) return;
      const entry = this.get(key, revision);
      if (entry) yield entry;
    }
  }

  put(key: string, value: Uint8Array, revision: bigint): Entry {
    const createRevision = this.get(key, revision)?.createRevision ?? revision;
    // A copy, so that the caller may go on using its buffer.
    const entry = { key, value: new Uint8Array(value), createRevision, modRevision: revision };
    this.#add(key, { revision, entry });
    return entry;
  }

  /** Whether there was something to delete. */
  delete(key: string, revision: bigint): boolean {
    if (!this.get(key, revision)) return false;
    this.#add(key, { revision, entry: undefined });
    return true;
  }

  /** Forgets what can only be seen at revisions before `revision`. */
  compact(revision: bigint): void {
    this.#keys = this.#keys.filter((key) => {
      const kept = (this.#versions.get(key) ?? []).filter((version, at, versions) => {
        const dead = version.entry === undefined && version.revision <= revision;
        const seenUntil = versions[at + 1]?.revision;
        return !dead && (seenUntil === undefined || seenUntil > revision);
      });
      if (kept.length > 0) this.#versions.set(key, kept);
      else this.#versions.delete(key);
      return kept.length > 0;
    });
  }

  #add(key: string, version: Version): void {
    const versions = this.#versions.get(key);
    if (versions) versions.push(version);
    else {
      this.#versions.set(key, [version]);
      this.#keys.splice(this.#lowerBound(key), 0, key);
    }
  }

  /** The index of the first key that isn't before `key`. */
  #lowerBound(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#keys[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function versionAt(versions: readonly Version[], revision: bigint): Version | undefined {
  // From the newest: that is nearly always the one asked for.
  for (let i = versions.length - 1; i >= 0; i--) {
    const version = versions[i];
    if (version && version.revision <= revision) return version;
  }
  return undefined;
}
