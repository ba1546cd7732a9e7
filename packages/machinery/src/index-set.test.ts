import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IndexSet } from './index-set.ts';

describe('as text', () => {
  test.each([
    { indexes: [], text: '' },
    { indexes: [4], text: '4' },
    { indexes: [0, 1], text: '0,1' },
    { indexes: [7, 3, 1, 4, 5], text: '1,3-5,7' },
    { indexes: [2, 2, 2], text: '2' },
  ])('$indexes is "$text"', ({ indexes, text }) => {
    expect(String(IndexSet.of(indexes))).toBe(text);
    expect(IndexSet.parse(text)?.size).toBe(new Set(indexes).size);
  });

  test.each(['x', '1,', ',1', '2,1', '1,1', '3-2', '3-3', '1-5,4', '-1', '01', '1 ,2', '1-', '1.5'])(
    '"%s" is none',
    (text) => {
      expect(IndexSet.parse(text)).toBeUndefined();
    },
  );
});

test('does what sets do', () => {
  const indexes = fc.array(fc.nat(30));
  fc.assert(
    fc.property(indexes, indexes, fc.nat(31), (a, b, limit) => {
      const [left, right] = [new Set(a), new Set(b)];
      const list = (set: IndexSet) => Array.from({ length: 32 }, (_, index) => index).filter((index) => set.has(index));
      const sorted = (set: Iterable<number>) => [...new Set(set)].sort((x, y) => x - y);
      const [mine, other] = [IndexSet.of(a), IndexSet.of(b)];
      expect(list(mine.union(other))).toEqual(sorted([...a, ...b]));
      expect(list(mine.intersection(other))).toEqual(sorted(a.filter((index) => right.has(index))));
      expect(list(mine.below(limit))).toEqual(sorted(left).filter((index) => index < limit));
      expect(mine.last).toBe(Math.max(-1, ...a));
      expect(mine.size).toBe(left.size);
      expect(String(IndexSet.parse(String(mine)))).toBe(String(mine));
    }),
  );
});
