import { type KubeObject, keyOf, keyString, type Live, type ObjectKey } from '@navarch/machinery';
import type { Lister } from './informer-set.ts';

type Objects<T extends KubeObject> = Map<string, Live<T>>;

interface Index<T extends KubeObject> {
  readonly keys: (object: Live<T>) => readonly string[];
  readonly byValue: Map<string, Objects<T>>;
}

/** The objects of one kind, by key, by namespace and by the indexes that were asked for. */
export class ObjectCache<T extends KubeObject> implements Lister<T> {
  readonly #objects: Objects<T> = new Map();
  readonly #byNamespace: Index<T> = {
    keys: (object) => [object.metadata?.namespace ?? ''],
    byValue: new Map(),
  };
  readonly #indexes = new Map<string, Index<T>>();
  #all: readonly Live<T>[] | undefined;

  get(key: ObjectKey | string): Live<T> | undefined {
    return this.#objects.get(typeof key === 'string' ? key : keyString(key));
  }

  list(namespace?: string): readonly Live<T>[] {
    if (namespace !== undefined) return [...(this.#byNamespace.byValue.get(namespace)?.values() ?? [])];
    this.#all ??= [...this.#objects.values()];
    return this.#all;
  }

  byIndex(name: string, value: string): readonly Live<T>[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`no index "${name}": register it with addIndex before the start`);
    return [...(index.byValue.get(value)?.values() ?? [])];
  }

  addIndex(name: string, keys: (object: Live<T>) => readonly string[]): void {
    if (this.#indexes.has(name)) throw new Error(`index "${name}" exists already`);
    const index: Index<T> = { keys, byValue: new Map() };
    for (const [key, object] of this.#objects) insert(index, key, object);
    this.#indexes.set(name, index);
  }

  get size(): number {
    return this.#objects.size;
  }

  keys(): readonly string[] {
    return [...this.#objects.keys()];
  }

  /** Puts an object in its place; returns what was there. */
  set(object: Live<T>): Live<T> | undefined {
    const key = keyOf(object);
    const previous = this.delete(key);
    this.#objects.set(key, object);
    for (const index of this.#everyIndex()) insert(index, key, object);
    return previous;
  }

  /** Takes an object out; returns what was there. */
  delete(key: string): Live<T> | undefined {
    this.#all = undefined;
    const previous = this.#objects.get(key);
    if (previous === undefined) return undefined;
    this.#objects.delete(key);
    for (const index of this.#everyIndex()) remove(index, key, previous);
    return previous;
  }

  *#everyIndex(): Iterable<Index<T>> {
    yield this.#byNamespace;
    yield* this.#indexes.values();
  }
}

function insert<T extends KubeObject>(index: Index<T>, key: string, object: Live<T>): void {
  for (const value of index.keys(object)) {
    const objects = index.byValue.get(value);
    if (objects) objects.set(key, object);
    else index.byValue.set(value, new Map([[key, object]]));
  }
}

function remove<T extends KubeObject>(index: Index<T>, key: string, object: Live<T>): void {
  for (const value of index.keys(object)) {
    const objects = index.byValue.get(value);
    objects?.delete(key);
    if (objects?.size === 0) index.byValue.delete(value);
  }
}
