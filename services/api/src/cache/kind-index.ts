import type { ObjectKey } from '@navarch/machinery';
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

  /** All objects, or those of one namespace; only those behind `after`, which need not be there. Don't change the index meanwhile. */
  *list(namespace = '', after?: ObjectKey): Generator<CachedObject, void, void> {
    const begin = after && `${after.namespace}/`;
    const order = namespace === '' ? this.#order.all : [`${namespace}/`];
    const first = namespace === '' && begin !== undefined ? this.#order.indexOf(begin) : 0;
    for (let at = first; at < order.length; at++) {
      const each = order[at] ?? '';
      if (begin !== undefined && each < begin) continue;
      const index = this.#namespaces.get(each.slice(0, -1));
      if (index !== undefined) yield* objectsOf(index, each === begin ? after?.name : undefined);
    }
  }
}

function* objectsOf(
  { names, objects }: NamespaceIndex,
  after: string | undefined,
): Generator<CachedObject, void, void> {
  let at = after === undefined ? 0 : names.indexOf(after);
  if (after !== undefined && names.all[at] === after) at++;
  for (; at < names.all.length; at++) {
    const object = objects.get(names.all[at] ?? '');
    if (object !== undefined) yield object;
  }
}
