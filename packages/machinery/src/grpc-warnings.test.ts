import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readWarnings, warningMetadata } from './grpc-warnings.ts';

test('warnings come out as they went in, whatever letters they have', () => {
  const warning = fc.string({ maxLength: 60, unit: 'grapheme' });
  fc.assert(
    fc.property(fc.array(warning, { maxLength: 20 }), (warnings) => {
      expect(readWarnings(warningMetadata(warnings))).toEqual(warnings);
    }),
  );
});

test('says only so much', () => {
  const many = Array.from({ length: 100 }, (_, i) => `${i} ${'x'.repeat(1000)}`);
  const read = readWarnings(warningMetadata(many));
  expect(read).toHaveLength(21);
  expect(read.at(-1)).toBe('and 80 more warnings');
  expect(read.join('').length).toBeLessThan(5000);
});
