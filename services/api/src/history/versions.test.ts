import type { Resource } from '@navarch/proto';
import { expect, test } from 'vitest';
import { Versions } from './versions.ts';

const resource = (revision: bigint): Resource => ({ revision, object: undefined });

test('versions of several sources stand in order, and one that nobody kept leaves a gap', () => {
  const versions = new Versions();
  versions.add(9n, resource(9n));
  versions.addDeletion(7n);
  for (const [revision, ended] of [
    [5n, 7n],
    [2n, 3n],
    [1n, 2n],
    [1n, 2n],
  ] as const) {
    versions.add(revision, resource(revision));
    versions.addEnd(revision, ended);
    versions.addTime(ended, `at ${ended}`);
  }
  const outline = versions.newest(10).map(({ revision, resource, time, gap }) => [revision, !!resource, time, gap]);
  expect(outline).toEqual([
    [9n, true, '', false],
    [7n, false, 'at 7', false],
    // What replaced 2 at 3 is missing.
    [5n, true, '', true],
    [2n, true, 'at 2', false],
    [1n, true, '', false],
  ]);
  expect(versions.newest(2)).toHaveLength(2);
  expect([6n, 7n, 8n].map((revision) => versions.deletionBefore(revision))).toEqual([undefined, 7n, 7n]);
});
