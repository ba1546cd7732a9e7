import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  difference,
  fieldPaths,
  type FieldSet,
  fieldSet,
  fieldsFromJson,
  fieldsToJson,
  intersection,
  isEmpty,
  noFields,
  outside,
  sameFields,
  union,
  within,
} from './field-set.ts';

const elements = ['f:a', 'f:b', 'k:{"name":"x"}', 'v:"y"'];
/** Any set over a few places, so that two of them often share some. */
const anySet: fc.Arbitrary<FieldSet> = fc
  .array(fc.array(fc.constantFrom(...elements), { minLength: 1, maxLength: 4 }), { maxLength: 8 })
  .map((paths) => paths.map(single).reduce(union, noFields));

function single(path: readonly string[]): FieldSet {
  return path.reduceRight<FieldSet>((inner, element) => fieldSet(false, [[element, inner]]), {
    self: true,
    children: new Map(),
  });
}

const paths = (set: FieldSet) => fieldPaths(set).toSorted();
const isInside = (path: string, others: readonly string[]) =>
  others.some((other) => path === other || (path.startsWith(other) && /^[.[]/.test(path.slice(other.length))));

describe('on paths', () => {
  test('union, intersection and difference are those of sets', () => {
    fc.assert(
      fc.property(anySet, anySet, (a, b) => {
        const [inA, inB] = [new Set(paths(a)), new Set(paths(b))];
        expect(paths(union(a, b))).toEqual([...new Set([...inA, ...inB])].toSorted());
        expect(paths(intersection(a, b))).toEqual([...inA].filter((path) => inB.has(path)));
        expect(paths(difference(a, b))).toEqual([...inA].filter((path) => !inB.has(path)));
      }),
    );
  });

  test('within and outside part a set by what lies in the places of another', () => {
    fc.assert(
      fc.property(anySet, anySet, (a, b) => {
        const others = paths(b);
        expect(paths(within(a, b))).toEqual(paths(a).filter((path) => isInside(path, others)));
        expect(paths(outside(a, b))).toEqual(paths(a).filter((path) => !isInside(path, others)));
      }),
    );
  });

  test('two sets are the same when their places are, and empty when they have none', () => {
    fc.assert(
      fc.property(anySet, anySet, (a, b) => {
        expect(sameFields(a, b)).toBe(paths(a).join('\n') === paths(b).join('\n'));
        expect(isEmpty(difference(a, union(a, b)))).toBe(true);
      }),
    );
  });
});

test('comes back from JSON as it was', () => {
  fc.assert(
    fc.property(anySet, (set) => {
      const text = JSON.stringify(fieldsToJson(set));
      expect(sameFields(fieldsFromJson(JSON.parse(text)), set)).toBe(true);
    }),
  );
});

test('has the form that Kubernetes gives it', () => {
  const json = {
    'f:metadata': { 'f:labels': { 'f:app.example.com/tier': {} } },
    'f:spec': {
      'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {}, 'f:name': {} } },
      'f:replicas': {},
    },
  };
  const set = fieldsFromJson(json);
  expect(fieldsToJson(set)).toEqual(json);
  expect(fieldPaths(set)).toEqual([
    'metadata.labels[app.example.com/tier]',
    'spec.containers[name="web"]',
    'spec.containers[name="web"].image',
    'spec.containers[name="web"].name',
    'spec.replicas',
  ]);
});

test('what is no field set is no field', () => {
  expect(fieldPaths(fieldsFromJson([1]))).toEqual([]);
  expect(fieldPaths(fieldsFromJson(undefined))).toEqual([]);
  expect(fieldPaths(fieldsFromJson({ 'f:a': 1, 'f:b': {} }))).toEqual(['b']);
});
