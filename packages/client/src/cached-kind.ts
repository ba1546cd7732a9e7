import { type KindDefinition, liveObject } from '@navarch/kinds';
import type { Logger } from '@navarch/kit';
import { type KubeObject, keyOf, type Live } from '@navarch/machinery';
import { type Resource, type WatchEvent, WatchEvent_Type } from '@navarch/proto';
import type { Change, InformerTarget } from './informer-set.ts';
import { ObjectCache } from './object-cache.ts';
import { selects } from './selects.ts';

type Handler = (change: Change<KubeObject>) => void;

/** One kind of an informer set: its cache, and who hears of its changes. */
export class CachedKind {
  readonly target: InformerTarget;
  readonly cache = new ObjectCache<KubeObject>();
  readonly handlers: Handler[] = [];
  readonly #selected: (object: KubeObject) => boolean;
  readonly #freeze: boolean;
  readonly #logger: Logger;

  constructor(target: InformerTarget, options: { freeze: boolean; logger: Logger }) {
    this.target = target;
    this.#selected = selects(target);
    this.#freeze = options.freeze;
    this.#logger = options.logger;
  }

  get kind(): KindDefinition {
    return this.target.kind;
  }

  /**
   * Brings the cache up to one event. What kind of change it is follows from the cache and the selectors, not from the
   * event: the feed tells of objects that the selectors don't choose.
   */
  apply(event: WatchEvent): Change<KubeObject> | undefined {
    if (event.resource === undefined) return undefined;
    const object = this.#live(event.resource);
    if (event.type === WatchEvent_Type.DELETED || !this.#selected(object)) {
      return this.cache.delete(keyOf(object)) === undefined ? undefined : { type: 'deleted', object };
    }
    const previous = this.cache.set(object);
    return previous === undefined ? { type: 'added', object } : { type: 'modified', object, previous };
  }

  /** Makes the cache hold exactly `resources`; returns the changes that this was. */
  replace(resources: readonly Resource[]): Change<KubeObject>[] {
    const changes: Change<KubeObject>[] = [];
    const objects = new Map(
      resources
        .map((resource) => this.#live(resource))
        .filter((object) => this.#selected(object))
        .map((object) => [keyOf(object), object]),
    );
    for (const key of this.cache.keys()) {
      const cached = this.cache.get(key);
      const object = objects.get(key);
      // An object of the same name but another uid is another object: the old one went.
      if (cached === undefined || (object !== undefined && object.metadata?.uid === cached.metadata?.uid)) continue;
      this.cache.delete(key);
      changes.push({ type: 'deleted', object: cached });
    }
    for (const [key, object] of objects) {
      const cached = this.cache.get(key);
      if (cached?.metadata?.resourceVersion === object.metadata?.resourceVersion) continue;
      this.cache.set(object);
      changes.push(cached ? { type: 'modified', object, previous: cached } : { type: 'added', object });
    }
    return changes;
  }

  tell(change: Change<KubeObject>): void {
    for (const handler of this.handlers) {
      try {
        handler(change);
      } catch (error) {
        const key = keyOf(change.object);
        this.#logger.error({ err: error, kind: this.kind.kind, key }, 'a handler of changes failed');
      }
    }
  }

  #live(resource: Resource): Live<KubeObject> {
    const object = liveObject<KubeObject>(resource);
    return this.#freeze ? deepFreeze(object) : object;
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
