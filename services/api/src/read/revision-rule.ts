import { ApiError } from '@navarch/machinery';
import { RevisionMatch } from '@navarch/proto';

const matches: ReadonlySet<RevisionMatch> = new Set([
  RevisionMatch.UNSPECIFIED,
  RevisionMatch.NOT_OLDER_THAN,
  RevisionMatch.EXACT,
]);

/** What a read says about the revision it wants. */
export interface RevisionWish {
  readonly revision?: bigint | undefined;
  readonly match: RevisionMatch;
  readonly limit: number;
  readonly continue: string;
}

/**
 * How new what is read must be: `newest`, as the store; `any`, whatever the cache has; `notOlderThan` a revision; `exact`,
 * as it was at a revision; `continue`, at the revision of the list that goes on.
 */
export type RevisionRule =
  | { readonly at: 'newest' | 'any' | 'continue' }
  | { readonly at: 'notOlderThan' | 'exact'; readonly revision: bigint };

/**
 * The rules of Kubernetes for resourceVersion, resourceVersionMatch, limit and continue. Throws BadRequest for what they
 * forbid. Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list
 */
export function revisionRule({ revision, match, limit, continue: token }: RevisionWish): RevisionRule {
  if (!matches.has(match)) {
    throw new ApiError('BadRequest', `match ${match} is unknown: it is NOT_OLDER_THAN or EXACT`);
  }
  if (revision !== undefined && revision < 0n) {
    throw new ApiError('BadRequest', `revision must be 0 or more, not ${revision}`);
  }
  if (token !== '') {
    if (revision === undefined && match === RevisionMatch.UNSPECIFIED) return { at: 'continue' };
    throw new ApiError(
      'BadRequest',
      'a list that continues is at the revision of its first chunk: leave out revision and match',
    );
  }
  if (revision === undefined) {
    if (match === RevisionMatch.UNSPECIFIED) return { at: 'newest' };
    throw new ApiError('BadRequest', 'match says how revision is meant: set revision, too, or leave out match');
  }
  if (revision === 0n) {
    if (match !== RevisionMatch.EXACT) return { at: 'any' };
    throw new ApiError('BadRequest', 'nothing is exactly at revision 0: name a revision that an earlier answer gave');
  }
  if (match === RevisionMatch.EXACT) return { at: 'exact', revision };
  if (match === RevisionMatch.UNSPECIFIED && limit > 0) return { at: 'exact', revision };
  return { at: 'notOlderThan', revision };
}
