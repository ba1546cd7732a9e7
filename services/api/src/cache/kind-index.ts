import type { CachedObject } from './cached-object.ts';
import { SortedNames } from './sorted-names.ts';

interface NamespaceIndex {
  readonly names: SortedNames;
  readonly objects: Map<string, CachedObject>;
}

/** The objects of one kind, in the order of lists, which is that of their keys in the store. */
export class KindIndex {
  readonly #namespaces = new Map<string, NamespaceIndex>();
  /** The namespaces as they stand in keys: with the slash after them, which sorts behind `-`. */
  readonly #order = new SortedNames();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(namespace: string, name: string): CachedObject | undefined {
    return this.#namespaces.get(namespace)?.objects.get(name);
  }

  set(object: CachedObject): void {
    let index = this.#namespaces.get(object.namespace);
    if (index === undefined) {
      index = { names: new SortedNames(), objects: new Map() };
      this.#namespaces.set(object.namespace, index);
      this.#order.add(`${object.namespace}/`);
    }
    if (!index.objects.has(object.name)) {
      index.names.add(object.name);
      this.#size++;
    }
    index.objects.set(object.name, object);
  }

  delete({ namespace, name }: CachedObject): void {
    const index = this.#namespaces.get(namespace);
    if (!index?.objects.delete(name)) return;
    this.#size--;
    index.names.delete(name);
    if (index.objects.size === 0) {
      this.#namespaces.delete(namespace);
      this.#order.delete(`${namespace}/`);
    }
  }

  /** All objects, or those of one namespace. Don't change the index meanwhile. */
  *list(namespace = ''): Generator<CachedObject, void, void> {
    for (const each of namespace === '' ? this.#order.all : [`${namespace}/`]) {
      const index = this.#namespaces.get(each.slice(0, -1));
      for (const name of index?.names.all ?? []) {
        const object = index?.objects.get(name);
        if (object !== undefined) yield object;
      }
    }
  }
}
