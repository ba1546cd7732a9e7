import { describe, expect, test } from 'vitest';
import { isMost, judgeZones, usualZoneSettings } from './zones.ts';

test.each([
  { unwell: 0, all: 0, most: false },
  { unwell: 1, all: 1, most: true },
  { unwell: 1, all: 2, most: false },
  { unwell: 2, all: 2, most: true },
  { unwell: 1, all: 3, most: false },
  { unwell: 2, all: 3, most: true },
  { unwell: 5, all: 10, most: false },
  { unwell: 6, all: 10, most: true },
])('$unwell of $all: $most', ({ unwell, all, most }) => {
  expect(isMost(unwell, all)).toBe(most);
});

/** `a: 1/10` for a zone of ten nodes of which one fails. */
const judge = (...zones: readonly string[]) =>
  judgeZones(
    zones.flatMap((text) => {
      const [, zone = '', unwell, nodes] = /^(.*): (\d+)\/(\d+)$/.exec(text) ?? [];
      return Array.from({ length: Number(nodes) }, (_, index) => ({ zone, well: index >= Number(unwell) }));
    }),
    usualZoneSettings,
  );
const rates = (judgement: ReturnType<typeof judge>) => [...judgement.zones.values()].map(({ rate }) => rate);

describe('the pace in each zone', () => {
  test.each([
    { name: 'is the usual one while few fail', zones: ['a: 1/10', 'b: 0/10'], rates: [0.1, 0.1] },
    { name: 'is the usual one in a zone that is wholly gone', zones: ['a: 4/4', 'b: 0/10'], rates: [0.1, 0.1] },
    { name: 'is none where most of a small zone fail', zones: ['a: 6/10', 'b: 0/20'], rates: [0, 0.1] },
    { name: 'is slower where most of a large zone fail', zones: ['a: 40/60', 'b: 0/60'], rates: [0.01, 0.1] },
    { name: 'is the usual one where two of three fail', zones: ['a: 2/3', 'b: 0/10'], rates: [0.1, 0.1] },
    { name: 'is none anywhere when all fail', zones: ['a: 3/3', 'b: 3/3'], rates: [0, 0] },
    { name: 'is none anywhere when most fail', zones: ['a: 6/6', 'b: 0/3'], rates: [0, 0] },
  ])('$name', ({ zones, rates: expected }) => {
    expect(rates(judge(...zones))).toEqual(expected);
  });

  test('and how many fail is told', () => {
    expect(judge('a: 6/10', ': 1/20')).toMatchObject({ stopped: false, unwell: 7, nodes: 30 });
    expect(judge('a: 6/10', ': 1/20').zones.get('')).toEqual({ nodes: 20, unwell: 1, rate: 0.1 });
    expect(judge('a: 6/10').stopped).toBe(true);
  });
});
