import type { KindDefinition } from '@navarch/kinds';
import { abortable } from '@navarch/kit';
import { ApiError, type ObjectKey } from '@navarch/machinery';
import { type CachedObject, Change, type ChangeSet } from './cached-object.ts';
import { History, type HistoryLimits } from './history.ts';
import { KindIndex } from './kind-index.ts';

export const defaultHistoryLimits: HistoryLimits = { maxBytes: 128 * 1024 * 1024, maxChanges: 100_000 };

/** One object's new state (undefined: it is gone), before it is in the cache. */
export interface Update {
  readonly kind: KindDefinition;
  readonly namespace: string;
  readonly name: string;
  readonly object: CachedObject | undefined;
}

/**
 * Objects of several kinds as they were at one revision, and the newest changes. Whoever fills it calls `reset` and
 * `apply`; everybody else reads. All reads are synchronous, so what one turn of the event loop sees is consistent.
 */
export class ObjectCache {
  readonly #limits: HistoryLimits;
  /** By the place of their kind, which outlives its definition. */
  #kinds = new Map<string, KindIndex>();
  #history: History;
  #revision = 0n;
  #filled = false;
  #epoch = 0;
  readonly #waiting = new Set<{ readonly revision: bigint; readonly resolve: () => void }>();
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(limits: HistoryLimits = defaultHistoryLimits) {
    this.#limits = limits;
    this.#history = new History(limits, 0n);
  }

  /** Everything up to and with this revision is in the cache. */
  get revision(): bigint {
    return this.#revision;
  }

  /** False until the first `reset`. */
  get filled(): boolean {
    return this.#filled;
  }

  get history(): History {
    return this.#history;
  }

  /** Changes with each `reset`: positions in the history of another epoch mean nothing. */
  get epoch(): number {
    return this.#epoch;
  }

  get(kind: KindDefinition, namespace: string, name: string): CachedObject | undefined {
    return this.#kinds.get(kind.place)?.get(namespace, name)?.inKind(kind);
  }

  /** In the order of their keys: all, those of a namespace, or of these those behind `after`. */
  list(kind: KindDefinition, namespace = '', after?: ObjectKey): Iterable<CachedObject> {
    const objects = this.#kinds.get(kind.place)?.list(namespace, after) ?? [];
    // A built-in kind has one definition for ever.
    return kind.custom === undefined ? objects : inKind(kind, objects);
  }

  count(kind: KindDefinition): number {
    return this.#kinds.get(kind.place)?.size ?? 0;
  }

  /** Starts anew from a complete picture. Watchers of the old one end with Expired. */
  reset(objects: Iterable<CachedObject>, revision: bigint): void {
    this.#kinds = new Map();
    for (const object of objects) this.#indexOf(object.kind).set(object);
    this.#history = new History(this.#limits, revision);
    this.#epoch++;
    this.#filled = true;
    this.#revision = revision;
    this.#settle();
    for (const listeners of this.#listeners.values()) for (const wake of listeners) wake();
  }

  /** All changes of one revision; none for "nothing happened up to here". */
  apply(revision: bigint, updates: readonly Update[]): void {
    if (revision < this.#revision) return;
    const changes: Change[] = [];
    for (const { kind, namespace, name, object } of updates) {
      const index = this.#indexOf(kind);
      const before = index.get(namespace, name);
      if (object !== undefined) index.set(object);
      else if (before !== undefined) index.delete(before);
      if (before !== undefined || object !== undefined) changes.push(new Change(revision, before, object));
    }
    this.#revision = revision;
    if (changes.length > 0) this.#history.push({ revision, changes });
    this.#settle();
    if (changes.length === 0) return;
    for (const place of new Set([everywhere, ...changes.map((change) => change.kind.place)])) {
      for (const wake of this.#listeners.get(place) ?? []) wake();
    }
  }

  /** Resolves once the cache shows `revision`. */
  async reached(revision: bigint, signal: AbortSignal): Promise<void> {
    if (this.#filled && this.#revision >= revision) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = { revision, resolve };
    this.#waiting.add(waiting);
    try {
      await abortable(promise, signal);
    } finally {
      this.#waiting.delete(waiting);
    }
  }

  /** Calls `wake` when an object of `kinds`, or of any kind, has changed, until disposed. */
  onChange(kinds: Iterable<KindDefinition> | 'all', wake: () => void): Disposable {
    const places = kinds === 'all' ? [everywhere] : [...kinds].map(({ place }) => place);
    const sets = places.map((place) => {
      const listeners = this.#listeners.get(place) ?? new Set();
      this.#listeners.set(place, listeners);
      return listeners.add(wake);
    });
    return { [Symbol.dispose]: () => sets.forEach((listeners) => void listeners.delete(wake)) };
  }

  /** The same as it was at an earlier revision, found by undoing the changes since. Take it before the cache changes. */
  listAt(kind: KindDefinition, namespace: string, revision: bigint, after?: ObjectKey): Iterable<CachedObject> {
    const position = this.#positionAt(revision);
    /** What was before the first change since. */
    const was = new Map<string, CachedObject | undefined>();
    for (let at = this.#history.end - 1; at >= position; at--) {
      for (const { newest, before, kind: changed } of changesOf(this.#history.at(at))) {
        if (changed.place !== kind.place || (namespace !== '' && newest.namespace !== namespace)) continue;
        if (after === undefined || byKey(newest, after) > 0) was.set(newest.key, before?.inKind(kind));
      }
    }
    return withUndone(this.list(kind, namespace, after), was);
  }

  /** One object as it was at an earlier revision. */
  getAt(kind: KindDefinition, namespace: string, name: string, revision: bigint): CachedObject | undefined {
    let object = this.get(kind, namespace, name);
    if (object !== undefined && object.revision <= revision) return object;
    const position = this.#positionAt(revision);
    for (let at = this.#history.end - 1; at >= position; at--) {
      for (const { newest, before } of changesOf(this.#history.at(at))) {
        if (newest.kind.place === kind.place && newest.name === name && newest.namespace === namespace) object = before;
      }
    }
    return object?.inKind(kind);
  }

  /** The changes of one object that are still kept, the newest first. */
  changesOf(kind: KindDefinition, namespace: string, name: string): Change[] {
    const changes: Change[] = [];
    for (let at = this.#history.end - 1; at >= this.#history.start; at--) {
      for (const change of changesOf(this.#history.at(at))) {
        const { newest } = change;
        const same = newest.name === name && newest.namespace === namespace && newest.kind.place === kind.place;
        if (same) changes.push(change.inKind(kind));
      }
    }
    return changes;
  }

  /** The first change after `revision`. */
  #positionAt(revision: bigint): number {
    const position = this.#history.positionAfter(revision);
    if (position === undefined || revision > this.#revision) throw historyGone(revision);
    return position;
  }

  #indexOf({ place }: KindDefinition): KindIndex {
    let index = this.#kinds.get(place);
    if (index === undefined) this.#kinds.set(place, (index = new KindIndex()));
    return index;
  }

  #settle(): void {
    for (const waiting of this.#waiting) if (waiting.revision <= this.#revision) waiting.resolve();
  }
}

/** Stands for the place of every kind. */
const everywhere = '*';

function* inKind(kind: KindDefinition, objects: Iterable<CachedObject>): Generator<CachedObject, void, void> {
  for (const object of objects) yield object.inKind(kind);
}

/** Objects, of which those that were something else, or were not there, are put back. Both are in the order of keys. */
function* withUndone(
  objects: Iterable<CachedObject>,
  was: ReadonlyMap<string, CachedObject | undefined>,
): Generator<CachedObject, void, void> {
  const undone = [...was.values()].flatMap((object) => object ?? []).sort(byKey);
  let at = 0;
  for (const object of objects) {
    for (let next = undone[at]; next !== undefined && byKey(next, object) < 0; next = undone[++at]) yield next;
    if (!was.has(object.key)) yield object;
  }
  yield* undone.slice(at);
}

/** The history after `revision` is gone. */
export function historyGone(revision: bigint): ApiError {
  return new ApiError('Expired', `the history after revision ${revision} is gone; list again`);
}

function changesOf(set: ChangeSet | undefined | 'overtaken'): readonly Change[] {
  return set === undefined || set === 'overtaken' ? [] : set.changes;
}

/** The order of lists: that of the keys in the store, so that a list may go on there where the cache has left off. */
export function byKey(a: ObjectKey, b: ObjectKey): number {
  if (a.namespace !== b.namespace) return `${a.namespace}/` < `${b.namespace}/` ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
