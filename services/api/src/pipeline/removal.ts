import { type KindDefinition, namespace as namespaceKind } from '@navarch/kinds';
import type { Namespace } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import { release } from './admission/chain.ts';
import { asItWas } from './current.ts';
import type { WritableObject } from './object-rules.ts';
import type { Circumstances, Prepared } from './write.ts';

/** Whether an object that was asked to go has nothing left to wait for. */
export function readyToGo(kind: KindDefinition, object: WritableObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers } = object.metadata;
  return (
    deletionTimestamp !== '' &&
    deletionGracePeriodSeconds === 0 &&
    finalizers.length === 0 &&
    namespaceFinalizers(kind, object).length === 0
  );
}

/** A Namespace has finalizers in its spec, too: whoever empties it removes them. */
export function namespaceFinalizers(kind: KindDefinition, object: object): readonly string[] {
  if (kind.case !== namespaceKind.case) return [];
  return (object as Namespace).spec?.finalizers ?? []; // the kind says what the object is
}

/** Takes the object out of the store, and gives back what it had been given. `body` is how it was last. */
export function removal(circumstances: Circumstances, cached: CachedObject, body: Uint8Array): Prepared {
  const { key } = cached;
  const { compare, ops, others } = release(circumstances, cached);
  return {
    key,
    compare: [asItWas(cached), ...compare],
    ops: [{ type: 'delete', key }, ...ops],
    others,
    body,
    revision: cached.revision,
    gone: true,
  };
}
