import type { KindDefinition } from '@navarch/kinds';
import { keyString } from '@navarch/machinery';
import { CachedObject } from '../cache/cached-object.ts';
import { byKey } from '../cache/object-cache.ts';
import { parseStorageKey } from '../storage/keys.ts';
import { type Room, type Taking, withTaking } from './rooms.ts';
import type { Prepared, View } from './write.ts';

/**
 * The current state as a transaction's own writes leave it, so that each is decided on what those before it do: a Namespace
 * and what lives in it are made together, and two Services get two addresses. An object that was written has the revision
 * that it had before, 0n when it is new: that is what the transaction compares it with.
 */
export class OwnWrites implements View {
  readonly #base: View;
  /** By the place of their kind: versions of a custom kind share one. */
  readonly #written = new Map<string, Map<string, CachedObject | undefined>>();

  readonly #takings: Taking[] = [];

  constructor(base: View) {
    this.#base = base;
  }

  get(kind: KindDefinition, namespace: string, name: string): CachedObject | undefined {
    const own = this.#written.get(kind.place);
    const key = keyString({ namespace, name });
    return own?.has(key) ? own.get(key)?.inKind(kind) : this.#base.get(kind, namespace, name);
  }

  list(kind: KindDefinition, namespace = ''): Iterable<CachedObject> {
    const own = this.#written.get(kind.place);
    if (own === undefined) return this.#base.list(kind, namespace);
    const others = [...this.#base.list(kind, namespace)].filter((object) => !own.has(keyString(object)));
    const mine = [...own.values()].flatMap((object) => object?.inKind(kind) ?? []);
    const fitting = mine.filter((object) => namespace === '' || object.namespace === namespace);
    return [...others, ...fitting].sort(byKey);
  }

  written(kind: KindDefinition, namespace: string, name: string): boolean {
    return this.#written.get(kind.place)?.has(keyString({ namespace, name })) ?? false;
  }

  get revision(): bigint {
    return this.#base.revision;
  }

  room(nodeName: string): Room {
    const own = this.#takings.filter((taking) => taking.nodeName === nodeName);
    return own.reduce(withTaking, this.#base.room(nodeName));
  }

  add(kind: KindDefinition, { key, ops, body, gone, others = [], taking }: Prepared): void {
    if (taking !== undefined) this.#takings.push(taking);
    if (ops.length > 0) this.#set(kind, key, gone ? undefined : body);
    for (const { object, body } of others) this.#set(object.kind, object.key, body);
  }

  #set(kind: KindDefinition, key: string, body: Uint8Array | undefined): void {
    const named = parseStorageKey(key);
    if (named === undefined) return;
    const { namespace, name } = named;
    const revision = this.#base.get(kind, namespace, name)?.revision ?? 0n;
    const own = this.#written.get(kind.place) ?? new Map<string, CachedObject | undefined>();
    const object = body && new CachedObject({ kind, key, namespace, name, revision }, body);
    own.set(keyString(named), object);
    this.#written.set(kind.place, own);
  }
}
