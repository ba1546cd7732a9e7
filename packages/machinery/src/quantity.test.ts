import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteCount, cpuMillis, formatByteCount, formatCpuMillis, formatQuantity, parseQuantity } from './quantity.ts';

describe('parseQuantity', () => {
  test.each([
    ['0', 0n],
    ['1', 1_000_000_000n],
    ['100m', 100_000_000n],
    ['1.5', 1_500_000_000n],
    ['.5', 500_000_000n],
    ['5.', 5_000_000_000n],
    ['-2', -2_000_000_000n],
    ['+1k', 1_000_000_000_000n],
    ['64Mi', 67_108_864_000_000_000n],
    ['1E', 10n ** 27n],
    ['1e3', 1_000_000_000_000n],
    ['1E3', 1_000_000_000_000n],
    ['5e-1', 500_000_000n],
    ['0.1n', 1n], // finer than a billionth rounds up
    ['9223372036854775807', 9_223_372_036_854_775_807_000_000_000n],
  ])('%s', (text, nanos) => expect(parseQuantity(text)).toBe(nanos));

  test.each(['', 'm', '.', '1 Mi', '5x', 'Ki', '1mi', '1Mi5', '--1', '1e', '0x10', '１'])('%s is none', (text) =>
    expect(parseQuantity(text)).toBeUndefined(),
  );

  test('reads back what formatQuantity writes', () => {
    const units = fc.constantFrom('decimal' as const, 'binary' as const);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 90n }), units, (nanos, unit) => {
        expect(parseQuantity(formatQuantity(nanos, unit))).toBe(nanos);
      }),
    );
  });
});

test('cpu and bytes round up, so that nothing small is counted as nothing', () => {
  expect(cpuMillis('1m')).toBe(1);
  expect(cpuMillis('0.0001')).toBe(1);
  expect(cpuMillis('2')).toBe(2000);
  expect(byteCount('1Ki')).toBe(1024);
  expect(byteCount('1m')).toBe(1);
  expect(cpuMillis(undefined)).toBe(0);
});

test('counts are written in the largest unit that is exact', () => {
  expect([0, 1000, 1024, 67_108_864].map(formatByteCount)).toEqual(['0', '1000', '1Ki', '64Mi']);
  expect([0, 100, 2000, 2500].map(formatCpuMillis)).toEqual(['0', '100m', '2', '2500m']);
});
