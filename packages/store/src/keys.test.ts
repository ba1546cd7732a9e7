import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareKeys, prefixRange } from './keys.ts';

const someKey = fc.string({ unit: 'binary' });

test('compareKeys is the order of UTF-8 bytes', () => {
  fc.assert(
    fc.property(someKey, someKey, (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

describe('prefixRange', () => {
  const within = (key: string, prefix: string, startAfter?: string) => {
    const range = prefixRange(prefix, startAfter);
    const bytes = Buffer.from(key);
    const endless = range.rangeEnd.equals(Buffer.from([0]));
    return Buffer.compare(bytes, range.key) >= 0 && (endless || Buffer.compare(bytes, range.rangeEnd) < 0);
  };
  const someKeys = fc.tuple(someKey, someKey, fc.boolean()).map(([prefix, rest, related]) => ({
    prefix,
    key: (related ? prefix : '') + rest,
  }));

  test('holds just the keys that start with the prefix', () => {
    fc.assert(
      fc.property(someKeys, ({ prefix, key }) => {
        fc.pre(key !== '');
        expect(within(key, prefix)).toBe(Buffer.from(key).indexOf(Buffer.from(prefix)) === 0);
      }),
    );
  });

  test('holds of them just those after startAfter', () => {
    fc.assert(
      fc.property(someKeys, someKey, ({ prefix, key }, startAfter) => {
        fc.pre(key.startsWith(prefix) && key !== '');
        expect(within(key, prefix, startAfter)).toBe(compareKeys(key, startAfter) > 0);
      }),
    );
  });
});
