import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../encode.ts';
import { isJsonObject, mergePatch } from './merge-patch.ts';

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

/** RFC 7396 can't say null for a value, so documents have none. */
const withoutNull = fc.jsonValue({ maxDepth: 3 }).map((json) => strip(json as Json)); // as it says

test('the difference of two documents leads from one to the other', () => {
  fc.assert(
    fc.property(withoutNull, withoutNull, (target, result) => {
      expect(mergePatch(target, difference(target, result))).toEqual(result);
    }),
  );
});

test('what a patch does not name stays as it is, and what it names null is gone', () => {
  const object = fc.dictionary(fc.string({ maxLength: 2 }), withoutNull, { maxKeys: 6 });
  fc.assert(
    fc.property(object, object, fc.array(fc.string({ maxLength: 2 }), { maxLength: 3 }), (target, patch, removed) => {
      const nulls = Object.fromEntries(removed.map((name) => [name, null]));
      const result = mergePatch(target, { ...patch, ...nulls }) as JsonObject; // patched by an object
      expect(removed.filter((name) => name in result)).toEqual([]);
      const untouched = Object.keys(target).filter((name) => !(name in patch) && !removed.includes(name));
      expect(untouched.map((name) => result[name])).toEqual(untouched.map((name) => target[name]));
    }),
  );
});

function strip(json: Json): Json {
  if (Array.isArray(json)) return json.map((item) => strip(item ?? 0));
  if (!isJsonObject(json)) return json ?? 0;
  return Object.fromEntries(
    Object.entries(json).flatMap(([name, value]) =>
      value === null || name === '__proto__' ? [] : [[name, strip(value)]],
    ),
  );
}

function difference(target: Json, result: Json): Json {
  if (!isJsonObject(target) || !isJsonObject(result)) return result;
  const gone = Object.keys(target).filter((name) => !Object.hasOwn(result, name));
  return {
    ...Object.fromEntries(gone.map((name) => [name, null])),
    ...Object.fromEntries(
      Object.entries(result).map(([name, value]) => [
        name,
        difference((Object.hasOwn(target, name) ? target[name] : undefined) ?? 0, value),
      ]),
    ),
  };
}
