import type { Kinds } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import type { Check } from '@navarch/proto';
import { describe, kindNamed, namespaceOf } from '../read/resource-name.ts';
import { storageKey } from '../storage/keys.ts';
import { current, leftAsItIs } from './current.ts';
import type { Write } from './write.ts';

/** A condition on an object that the transaction does not change: it is there, as it was seen, or it is not. */
export function checkWrite(kinds: Kinds, { resource, namespace: within, name, absent, uid, revision }: Check): Write {
  const kind = kindNamed(kinds, resource);
  const namespace = namespaceOf(kind, within);
  if (name === '') throw new ApiError('BadRequest', 'name must be set');
  if (absent && (uid !== '' || revision !== 0n)) {
    throw new ApiError('BadRequest', 'what is to be absent has neither uid nor revision');
  }
  const key = storageKey(kind, { namespace, name });
  return {
    kind,
    namespace,
    name,
    prepare: ({ view }) => {
      if (!absent) return leftAsItIs(current(view, kind, { namespace, name, uid, revision }));
      if (view.get(kind, namespace, name) !== undefined) {
        throw new ApiError('AlreadyExists', `${describe(kind, namespace, name)} exists, and was to be absent`);
      }
      return { key, compare: [{ key, modRevision: 0n }], ops: [], body: Buffer.of(), revision: 0n, gone: true };
    },
  };
}
