import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BestPlaces } from './best-places.ts';

const put = fc.record({
  place: fc.nat({ max: 20 }),
  worth: fc.constantFrom(Number.NEGATIVE_INFINITY, 0, 1, 2),
  second: fc.integer({ min: -2, max: 0 }),
});

test('the best places are those that a look at all of them finds, after any changes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 21 }), fc.array(put), fc.array(put), fc.nat(), (places, first, later, n) => {
      const best = new BestPlaces();
      const all = Array.from({ length: places }, () => ({ worth: Number.NEGATIVE_INFINITY, second: 0 }));
      const change = ({ place, worth, second }: typeof put extends fc.Arbitrary<infer T> ? T : never) => {
        all[place % places] = { worth, second };
        best.put(place % places, worth, second);
      };
      best.reset(places);
      for (const each of first) change(each);
      best.build();
      for (const each of later) {
        change(each);
        best.update(each.place % places);
      }
      const worth = Math.max(...all.map((each) => each.worth));
      const second = Math.max(...all.filter((each) => each.worth === worth).map((each) => each.second));
      const equals = all.flatMap((each, place) => {
        return Number.isFinite(worth) && each.worth === worth && each.second === second ? [place] : [];
      });
      expect(best.count).toBe(equals.length);
      expect(best.worth).toBe(worth);
      expect(equals.map((_, at) => best.nth(at))).toEqual(equals);
      const at = (n % (places + 1)) - 1;
      expect(best.upTo(at)).toBe(equals.filter((place) => place <= at).length);
    }),
    { numRuns: 1_000 },
  );
});
