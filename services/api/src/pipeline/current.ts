import type { KindDefinition } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import type { Compare } from '@navarch/store';
import { type CachedObject, decodeObject } from '../cache/cached-object.ts';
import { describe, notFound } from '../read/resource-name.ts';
import { uidOf } from '../wire/fields.ts';
import { objectBytes } from '../wire/responses.ts';
import type { WritableObject } from './object-rules.ts';
import type { Prepared, View } from './write.ts';

/** Which object a write is about, and which version of it the writer saw. */
export interface Precondition {
  readonly namespace: string;
  readonly name: string;
  /** 0n: any. */
  readonly revision: bigint;
  /** '': any. */
  readonly uid: string;
}

/** The object as it is. Throws NotFound, or Conflict when it is not the one, or not the version, that the writer saw. */
export function current(view: View, kind: KindDefinition, wanted: Precondition): CachedObject {
  const { namespace, name, revision, uid } = wanted;
  const cached = view.get(kind, namespace, name);
  if (cached === undefined) throw notFound(kind, name);
  const actual = uid === '' ? '' : uidOf(objectBytes(cached.body));
  if (uid !== actual) {
    throw new ApiError(
      'Conflict',
      `${describe(kind, namespace, name)} is another object now: metadata.uid is ${actual}, not ${uid}`,
    );
  }
  if (revision !== 0n && revision !== cached.revision) {
    throw new ApiError(
      'Conflict',
      `${describe(kind, namespace, name)} has changed: metadata.resourceVersion is ${cached.revision}, not ${revision}; read it again and apply the change to that`,
    );
  }
  return cached;
}

/** A copy of a cached object to change. */
export function copyOf(cached: CachedObject): WritableObject {
  return decodeObject(cached.kind, cached.body);
}

/** What a write comes to that has nothing to change. */
export function leftAsItIs(cached: CachedObject): Prepared {
  const { key, body, revision } = cached;
  return { key, compare: [asItWas(cached)], ops: [], body, revision, gone: false };
}

/** The condition that nobody has changed the object since it was looked at. */
export function asItWas({ key, revision }: CachedObject): Compare {
  return { key, modRevision: revision };
}
