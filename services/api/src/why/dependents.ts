import type { OwnerReference } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import { ownersOf, uidOf } from '../wire/fields.ts';
import { objectBytes } from '../wire/responses.ts';
import type { Snapshot } from './snapshot.ts';

/** An object that names others as its owners. */
export interface Owned {
  readonly object: CachedObject;
  readonly owners: readonly OwnerReference[];
  readonly depth: number;
  /** The reference to the owner that it stands under. */
  readonly by: OwnerReference;
}

/**
 * What belongs to the object with this uid, each after the owner that it stands under, and once. An owner that lives in a
 * namespace owns nothing elsewhere.
 */
export function dependentsOf({ kind, namespace, key, object }: CachedObject, snapshot: Snapshot): readonly Owned[] {
  const byOwner = ownerIndex(snapshot, kind.scope === 'Namespaced' ? namespace : '');
  const found: Owned[] = [];
  const seen = new Set([key]);
  const visit = (uid: string, depth: number) => {
    for (const { object: dependent, owners, by } of byOwner.get(uid) ?? []) {
      if (seen.has(dependent.key)) continue;
      seen.add(dependent.key);
      found.push({ object: dependent, owners, by, depth });
      // Of the many that may be here, only those that are told of are decoded.
      const own = uidOf(objectBytes(dependent.body));
      if (byOwner.has(own)) visit(own, depth + 1);
    }
  };
  visit(object.metadata.uid, 1);
  return found;
}

function ownerIndex(snapshot: Snapshot, namespace: string): ReadonlyMap<string, readonly Omit<Owned, 'depth'>[]> {
  const index = new Map<string, Omit<Owned, 'depth'>[]>();
  for (const kind of snapshot.keptKinds) {
    if (namespace !== '' && kind.scope === 'Cluster') continue;
    for (const object of snapshot.list(kind, namespace)) {
      const owners = ownersOf(objectBytes(object.body));
      for (const by of owners) {
        const owned = index.get(by.uid);
        if (owned === undefined) index.set(by.uid, [{ object, owners, by }]);
        else owned.push({ object, owners, by });
      }
    }
  }
  return index;
}

/** An owner other than the one with this uid that is there, and so keeps the object. */
export function otherOwner({ object, owners }: Owned, uid: string, snapshot: Snapshot): string {
  for (const owner of owners) {
    const kind = snapshot.kinds.byApiVersion(owner.apiVersion, owner.kind);
    if (owner.uid === uid || kind === undefined) continue;
    const found = snapshot.get(kind, kind.scope === 'Namespaced' ? object.namespace : '', owner.name);
    if (found?.object.metadata.uid === owner.uid) return `${kind.resource}/${owner.name}`;
  }
  return '';
}
