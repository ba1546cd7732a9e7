import { isDeepStrictEqual } from 'node:util';
import { namespace as namespaceKind, resourceQuota as quotaKind } from '@navarch/kinds';
import type { ResourceQuota } from '@navarch/proto';
import { count, counted, statusOf } from './ledger.ts';
import type { Link } from './link.ts';

/**
 * A quota's status is the api's own. New limits are not counted yet: the write that brings them also writes the namespace,
 * unchanged, so that every write decided before it is decided again; the first write after it that they concern, or any write of
 * the quota or its status, makes the api count. By then nothing can be committed that the count has missed.
 */
export const quotaStatus: Link = {
  admit: ({ circumstances, kind, next, previous }) => {
    if (kind.case !== quotaKind.case) return undefined;
    const quota = next as ResourceQuota; // the kind says what it is
    const before = previous?.object as ResourceQuota | undefined;
    if (before !== undefined && isDeepStrictEqual(quota.spec, before.spec)) {
      const isSettled = counted(quota) !== undefined && isDeepStrictEqual(quota.status, before.status);
      if (!isSettled) next.status = statusOf(quota, count(circumstances, quota));
      return undefined;
    }
    const limits = Object.keys(quota.spec?.hard ?? {});
    const known = Object.entries(before?.status?.used ?? {}).filter(([name]) => limits.includes(name));
    next.status = { hard: {}, used: Object.fromEntries(known) };
    const home = circumstances.view.get(namespaceKind, '', next.metadata.namespace);
    return home === undefined ? undefined : { others: [{ object: home, body: home.body }] };
  },
};
