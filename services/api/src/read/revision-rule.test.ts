import { RevisionMatch } from '@navarch/proto';
import { expect, test } from 'vitest';
import { revisionRule } from './revision-rule.ts';

const { UNSPECIFIED, NOT_OLDER_THAN, EXACT } = RevisionMatch;
const bad = 'BadRequest';

// The table of https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list, row by row.
test.each([
  { limit: 0, token: '', match: UNSPECIFIED, rules: ['newest', 'any', 'notOlderThan'] },
  { limit: 0, token: '', match: EXACT, rules: [bad, bad, 'exact'] },
  { limit: 0, token: '', match: NOT_OLDER_THAN, rules: [bad, 'any', 'notOlderThan'] },
  { limit: 5, token: '', match: UNSPECIFIED, rules: ['newest', 'any', 'exact'] },
  { limit: 5, token: '', match: EXACT, rules: [bad, bad, 'exact'] },
  { limit: 5, token: '', match: NOT_OLDER_THAN, rules: [bad, 'any', 'notOlderThan'] },
  { limit: 5, token: 'x', match: UNSPECIFIED, rules: ['continue', bad, bad] },
  { limit: 5, token: 'x', match: EXACT, rules: [bad, bad, bad] },
  { limit: 0, token: 'x', match: NOT_OLDER_THAN, rules: [bad, bad, bad] },
])('limit $limit, continue "$token", match $match', ({ limit, token, match, rules }) => {
  const said = [undefined, 0n, 7n].map((revision) => {
    try {
      return revisionRule({ revision, match, limit, continue: token }).at;
    } catch (error) {
      return (error as { reason?: string }).reason;
    }
  });
  expect(said).toEqual(rules);
});

test('what is no revision and no match is refused', () => {
  const wish = { match: UNSPECIFIED, limit: 0, continue: '' };
  expect(() => revisionRule({ ...wish, revision: -1n })).toThrow('0 or more');
  expect(() => revisionRule({ ...wish, match: 9 as RevisionMatch })).toThrow('match 9 is unknown');
});
