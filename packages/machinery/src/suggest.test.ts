import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { closest, editDistance } from './suggest.ts';

const fields = ['name', 'image', 'imagePullPolicy', 'env', 'envFrom', 'command'];

test.each([
  ['imagee', 'image'],
  ['IMAGE', 'image'],
  ['iamge', 'image'],
  ['comand', 'command'],
  ['imagePullPolice', 'imagePullPolicy'],
  ['replicas', undefined],
  ['x', undefined],
])('%s: %s', (word, guess) => expect(closest(word, fields)).toBe(guess));

test('distance is a distance', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});
