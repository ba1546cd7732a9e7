import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../encode.ts';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';

// The table of RFC 7396, appendix A.
test.each<[Json, Json, Json]>([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j with %j is %j', (target, patch, result) => expect(mergePatch(target, patch)).toEqual(result));

test('a merge patch done twice is done once, and changes no argument', () => {
  const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>; // as it says
  fc.assert(
    fc.property(json, json, (target, patch) => {
      const before = JSON.stringify([target, patch]);
      const once = mergePatch(target, patch);
      expect(mergePatch(once, patch)).toEqual(once);
      expect(JSON.stringify([target, patch])).toBe(before);
    }),
  );
});

test('a JSON Patch does not copy an object into itself for ever', () => {
  const copies = Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '/a', path: `/a/copy${i}` }));
  const tooLarge = expect.objectContaining({ reason: 'RequestEntityTooLarge' });
  expect(() => jsonPatch({ a: { b: 'c' } }, copies)).toThrow(tooLarge);
  expect(jsonPatch({ a: { b: 'c' } }, copies.slice(0, 1))).toEqual({ a: { b: 'c', copy0: { b: 'c' } } });
  expect(() =>
    jsonPatch(
      {},
      Array.from({ length: 10_001 }, () => ({ op: 'test', path: '', value: {} })),
    ),
  ).toThrow(tooLarge);
});

test('a JSON Patch is done whole or not at all', () => {
  const target = { a: [1, 2], b: 'x' };
  expect(
    jsonPatch(target, [
      { op: 'replace', path: '/b', value: 'y' },
      { op: 'remove', path: '/a/0' },
    ]),
  ).toEqual({
    a: [2],
    b: 'y',
  });
  expect(() =>
    jsonPatch(target, [
      { op: 'remove', path: '/b' },
      { op: 'remove', path: '/c' },
    ]),
  ).toThrow(/operation 1.*\/c/);
  expect(() => jsonPatch(target, [{ op: 'test', path: '/b', value: 'z' }])).toThrow(
    expect.objectContaining({ reason: 'Conflict' }),
  );
  expect(() => jsonPatch(target, { op: 'remove' })).toThrow('must be a list');
  expect(() => jsonPatch(target, [{ op: 'add', path: '/__proto__/x', value: 1 }])).toThrow(
    expect.objectContaining({ reason: 'Invalid' }),
  );
  expect(target).toEqual({ a: [1, 2], b: 'x' });
});
