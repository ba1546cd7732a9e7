import type { ObjectMeta } from '@navarch/proto';

/** What all kinds have in common. */
export interface KubeObject {
  metadata?: ObjectMeta | undefined;
}

/**
 * An object as the api serves it: metadata is always there, and so are spec and status where the kind has them.
 * `metadata.resourceVersion` is the Resource's revision as a decimal string. Objects from a cache must not be changed.
 */
export type Live<T> = {
  [K in keyof T]: K extends 'metadata' | 'spec' | 'status' ? NonNullable<T[K]> : T[K];
};

/** Names an object of a known kind. `namespace` is '' for kinds that live in none. */
export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

/** `namespace/name`, or `name` for kinds that live in none: the key that queues and caches use. */
export function keyOf(object: KubeObject): string {
  const { namespace = '', name = '' } = object.metadata ?? {};
  return keyString({ namespace, name });
}

export function keyString({ namespace, name }: ObjectKey): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

export function parseKey(key: string): ObjectKey {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
