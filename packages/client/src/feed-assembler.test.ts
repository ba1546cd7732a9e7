import type { WatchEvent } from '@navarch/proto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FeedAssembler } from './feed-assembler.ts';

const event = (revision: bigint): WatchEvent => ({ type: 2, resource: { revision, object: undefined } });
const batch = (previous: bigint, revision: bigint, revisions: readonly bigint[], subject = 's') => {
  return { subject, previous, revision, events: revisions.map(event) };
};
const bookmark = (previous: bigint, revision: bigint, heads: Record<string, bigint>) => {
  return { previous, revision, heads: new Map(Object.entries(heads)) };
};
const revisionsOf = (assembler: FeedAssembler, position: bigint) => {
  const step = assembler.next(position);
  return step.type === 'complete' ? step.changes.map(({ revision }) => Number(revision)) : step.type;
};

test('a batch of several revisions is told revision by revision, from the position on', () => {
  const assembler = new FeedAssembler(() => true);
  assembler.addBatch(batch(10n, 14n, [11n, 12n, 12n, 14n]));
  assembler.addBatch(batch(10n, 13n, [12n, 13n], 'other'));
  assembler.addBookmark(bookmark(10n, 14n, { s: 14n, other: 13n }));
  expect(revisionsOf(assembler, 11n)).toEqual([12, 13, 14]);
});

test('what overlaps counts once, and what reaches beyond the bookmark waits for the next', () => {
  const assembler = new FeedAssembler(() => true);
  assembler.addBatch(batch(10n, 13n, [11n, 13n]));
  assembler.addBatch(batch(11n, 15n, [13n, 14n, 15n]));
  assembler.addBookmark(bookmark(10n, 14n, { s: 13n }));
  expect(revisionsOf(assembler, 10n)).toEqual([11, 13, 14]);
  assembler.addBookmark(bookmark(14n, 15n, { s: 15n }));
  expect(revisionsOf(assembler, 14n)).toEqual([15]);
});

test('however two publishers cut the same history into batches, each revision is told once and in order', () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 8 });
  fc.assert(
    fc.property(cuts, cuts, fc.integer({ min: 0, max: 20 }), (one, two, position) => {
      const assembler = new FeedAssembler(() => true);
      for (const ends of [one, two]) {
        const bounds = [0, ...ends.toSorted((a, b) => a - b), 31];
        for (const [i, end] of bounds.slice(1).entries()) {
          const start = bounds[i] ?? 0;
          const revisions = Array.from({ length: end - start }, (_, k) => BigInt(start + k + 1));
          assembler.addBatch(batch(BigInt(start), BigInt(end), revisions));
        }
      }
      assembler.addBookmark(bookmark(0n, 31n, { s: 31n }));
      const expected = Array.from({ length: 31 - position }, (_, k) => position + k + 1);
      expect(revisionsOf(assembler, BigInt(position))).toEqual(expected);
    }),
  );
});
