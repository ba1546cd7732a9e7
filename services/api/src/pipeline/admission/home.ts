import { namespace as namespaceKind } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import type { Namespace } from '@navarch/proto';
import type { Link } from './link.ts';

/** The namespace must be there and stay as it is, so that nothing is made in one that is being emptied. */
export const home: Link = {
  admit: ({ circumstances: { view }, kind, next, previous }) => {
    if (previous !== undefined || kind.scope === 'Cluster') return undefined;
    const { namespace } = next.metadata;
    const cached = view.get(namespaceKind, '', namespace);
    if (cached === undefined) {
      throw new ApiError(
        'NotFound',
        `namespace "${namespace}" not found: create it first, or name another in metadata.namespace`,
      );
    }
    const { metadata, status } = cached.object as Namespace; // the cache decodes a kind's objects with its message
    if (metadata?.deletionTimestamp !== '' || status?.phase === 'Terminating') {
      throw new ApiError('Forbidden', `namespace "${namespace}" is being deleted: nothing can be created in it`);
    }
    return kind.storage === 'store' ? { compare: [{ key: cached.key, modRevision: cached.revision }] } : undefined;
  },
};
