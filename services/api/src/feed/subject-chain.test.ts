import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SubjectChain } from './subject-chain.ts';

test('between what it names and a change, nothing has changed on that subject, however little it remembers', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd')), fc.integer({ min: 1, max: 4 }), (subjects, capacity) => {
      const chain = new SubjectChain(10n, capacity);
      const last = new Map<string, bigint>();
      for (const [i, subject] of subjects.entries()) {
        const revision = BigInt(11 + i);
        const previous = chain.next(subject, revision);
        expect(previous).toBeLessThan(revision);
        expect(previous).toBeGreaterThanOrEqual(last.get(subject) ?? 10n);
        last.set(subject, revision);
      }
    }),
  );
});

test('what it remembers is exact', () => {
  const chain = new SubjectChain(10n);
  expect([chain.next('a', 11n), chain.next('b', 12n), chain.next('a', 13n), chain.next('a', 14n)]).toEqual([
    10n,
    10n,
    11n,
    13n,
  ]);
});
