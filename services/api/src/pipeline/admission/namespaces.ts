import { namespace as namespaceKind } from '@navarch/kinds';
import { Namespace } from '@navarch/proto';
import type { Link } from './link.ts';

/** Whoever empties a namespace removes this from its spec, and only then it goes. */
const emptiedFinalizer = 'kubernetes';

/** A namespace is there until it was emptied, whatever its manifest says. */
export const namespaces: Link = {
  admit: ({ kind, next, previous }) => {
    if (kind.case !== namespaceKind.case) return undefined;
    const before = previous?.object as Namespace | undefined; // the kind says what it is
    if (before === undefined) {
      const made = Namespace.fromJSON({ spec: { finalizers: [emptiedFinalizer] }, status: { phase: 'Active' } });
      next.spec = made.spec;
      next.status = made.status;
    } else if (before.metadata?.deletionTimestamp === '' || next.spec === undefined) {
      next.spec = before.spec;
    }
    return undefined;
  },
};
