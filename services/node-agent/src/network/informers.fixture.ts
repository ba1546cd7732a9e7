/** Caches that hold what a test puts in. */
import type { Change, InformerSet, Lister } from '@navarch/client';
import type { KindDefinition } from '@navarch/kinds';
import { type KubeObject, keyOf, keyString, type Live } from '@navarch/machinery';

interface Held {
  readonly objects: Map<string, Live<KubeObject>>;
  readonly indexes: Map<string, (object: Live<KubeObject>) => readonly string[]>;
  readonly handlers: ((change: Change<KubeObject>) => void)[];
}

export class FixedInformers implements InformerSet {
  readonly revision = 1n;
  readonly source = 'watch';
  readonly #kinds = new Map<string, Held>();

  lister<T extends KubeObject>(kind: KindDefinition<T>): Lister<T> {
    const { objects, indexes } = this.#of(kind);
    const list = (namespace?: string) =>
      [...objects.values()].filter(({ metadata }) => namespace === undefined || metadata?.namespace === namespace);
    const lister: Lister<KubeObject> = {
      get: (key) => objects.get(typeof key === 'string' ? key : keyString(key)),
      list,
      byIndex: (index, value) => list().filter((object) => indexes.get(index)?.(object).includes(value)),
      addIndex: (index, keys) => void indexes.set(index, keys),
    };
    // The objects of a kind are of its message type: whoever puts them in says so.
    return lister as unknown as Lister<T>;
  }

  onChange<T extends KubeObject>(kind: KindDefinition<T>, handler: (change: Change<T>) => void): void {
    // As above.
    this.#of(kind).handlers.push(handler as unknown as (change: Change<KubeObject>) => void);
  }

  /** Makes `objects` all there are of a kind. */
  set(kind: KindDefinition, wanted: readonly KubeObject[]): void {
    const { objects, handlers } = this.#of(kind);
    const before = new Map(objects);
    objects.clear();
    // A fixture's objects have metadata, and spec and status where their kind has them.
    for (const object of wanted) objects.set(keyOf(object), object as Live<KubeObject>);
    for (const [key, object] of objects) {
      const previous = before.get(key);
      for (const handler of handlers)
        handler(previous === undefined ? { type: 'added', object } : { type: 'modified', object, previous });
    }
    for (const [key, object] of before)
      if (!objects.has(key)) for (const handler of handlers) handler({ type: 'deleted', object });
  }

  async synced(): Promise<void> {}
  async reached(): Promise<void> {}
  async run(): Promise<void> {}

  #of(kind: object): Held {
    const { case: name } = kind as KindDefinition; // kinds of every message type have a name
    const present = this.#kinds.get(name);
    if (present !== undefined) return present;
    const made: Held = { objects: new Map(), indexes: new Map(), handlers: [] };
    this.#kinds.set(name, made);
    return made;
  }
}
