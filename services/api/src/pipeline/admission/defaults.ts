import { applyDefaults } from '@navarch/machinery';
import type { Link } from './link.ts';

/** Gives absent fields what the contract and the kind say. The only link that changes nested fields: it is idempotent. */
export const defaults: Link = {
  admit: ({ kind, next }) => {
    applyDefaults(kind.schema, next);
    kind.complete?.(next);
    return undefined;
  },
};
