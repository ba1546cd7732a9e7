import { describe, expect, test } from 'vitest';
import { type FormatName, formatProblem } from './formats.ts';

const long = (count: number) => 'a'.repeat(count);

const cases: Readonly<Record<FormatName, { good: (string | number)[]; bad: (string | number)[] }>> = {
  DNS_LABEL: { good: ['a', '0', 'a-b', long(63)], bad: ['', 'A', '-a', 'a-', 'a.b', 'a_b', long(64), 'a\n'] },
  DNS_LABEL_1035: { good: ['a', 'a1'], bad: ['1a', '', 'a.b'] },
  DNS_SUBDOMAIN: {
    good: ['a', 'a.b', '1.2', `${long(100)}.${long(100)}`],
    bad: ['', '.', 'a..b', 'a.', 'A', long(254)],
  },
  QUANTITY: { good: ['1', '500m', '1.5Gi'], bad: ['', 'x', '1 G'] },
  TIME: {
    good: ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.123456+02:00'],
    bad: ['', '2026-01-02', '2026-13-02T03:04:05Z'],
  },
  QUALIFIED_NAME: {
    good: ['app', 'a.B_c-d', 'example.com/app'],
    bad: ['', '/a', 'a/', 'a/b/c', 'A.com/x', long(64), '-a'],
  },
  LABEL_VALUE: { good: ['', 'a', 'A_b.c-1'], bad: ['-a', 'a b', long(64), 'ä'] },
  IP: { good: ['10.0.0.1', '::1'], bad: ['', '10.0.0', '10.0.0.256', 'localhost'] },
  CIDR: { good: ['10.0.0.0/24', 'fd00::/64'], bad: ['10.0.0.0', '10.0.0.0/33', 'x/8', '10.0.0.0/8/8'] },
  CONFIG_KEY: { good: ['a', 'A_b.c-d', '...x'.slice(2)], bad: ['', '.', '..', '..a', 'a/b', long(254)] },
  PORT: { good: [1, 65_535, 'http', 'a1'], bad: [0, 65_536, 1.5, '80', '', 'HTTP', long(16), 'a--b'] },
  COUNT_OR_PERCENT: { good: [0, 5, '25%', '0%'], bad: [-1, 1.5, '25', '-5%', '%'] },
  ENV_NAME: { good: ['A', '_a', 'a.b-c'], bad: ['', '1a', 'a b', 'a=b'] },
  ABSOLUTE_PATH: { good: ['/', '/a/b'], bad: ['', 'a', '/a/../b', '/a:b'] },
};

describe.each(Object.entries(cases))('%s', (name, { good, bad }) => {
  const format = name as FormatName; // the keys of cases
  test.each(good)('%j is one', (value) => expect(formatProblem(format, value)).toBeUndefined());
  test.each(bad)('%j is none, and the rule is told', (value) =>
    expect(formatProblem(format, value)).toMatch(/ must be /),
  );
});
