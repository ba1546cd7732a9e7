import type { KindDefinition } from '@navarch/kinds';
import type { ObjectKey } from '@navarch/machinery';

/** Everything that one watch feeds to the cache. Keys beside it (allocations) are not objects. */
export const objectPrefix = '/navarch/';

/** All objects of one kind are under it: `/navarch/core/pods/`. */
export function kindPrefix(kind: KindDefinition): string {
  return `${objectPrefix}${kind.place}/`;
}

/** `/navarch/<group or core>/<plural>/<namespace>/<name>`; kinds that live in no namespace have no such part. */
export function storageKey(kind: KindDefinition, { namespace, name }: ObjectKey): string {
  return kind.scope === 'Namespaced' ? `${kindPrefix(kind)}${namespace}/${name}` : `${kindPrefix(kind)}${name}`;
}

/** The kind's place and the object that a storage key names; undefined for a key that is none. */
export function parseStorageKey(key: string): { place: string; namespace: string; name: string } | undefined {
  if (!key.startsWith(objectPrefix)) return undefined;
  const parts = key.slice(objectPrefix.length).split('/');
  const [group, plural, first, second, ...rest] = parts;
  if (group === undefined || plural === undefined || first === undefined || rest.length > 0) return undefined;
  const place = `${group}/${plural}`;
  return second === undefined ? { place, namespace: '', name: first } : { place, namespace: first, name: second };
}
