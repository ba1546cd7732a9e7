import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../encode.ts';
import { ApiError } from '../errors.ts';
import { jsonPatch } from './json-patch.ts';

const refusal = (target: Json, patch: Json): string => {
  try {
    jsonPatch(target, patch);
  } catch (error) {
    return error instanceof ApiError ? error.reason : String(error);
  }
  return 'accepted';
};

// The examples of RFC 6902, appendix A, and what its section 4 says of each operation.
test.each<[string, Json, Json[], Json]>([
  ['adds a member', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
  [
    'adds an item',
    { foo: ['bar', 'baz'] },
    [{ op: 'add', path: '/foo/1', value: 'qux' }],
    { foo: ['bar', 'qux', 'baz'] },
  ],
  ['adds to the end', { foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc'] }], { foo: ['bar', ['abc']] }],
  ['adds in place of a member', { foo: 1 }, [{ op: 'add', path: '/foo', value: null }], { foo: null }],
  ['adds after the last item', { foo: [1] }, [{ op: 'add', path: '/foo/1', value: 2 }], { foo: [1, 2] }],
  ['removes a member', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
  ['removes an item', { foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
  ['replaces', { baz: 'qux' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
  ['replaces all', { baz: 'qux' }, [{ op: 'replace', path: '', value: [1] }], [1]],
  [
    'moves a value',
    { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
    [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
    { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
  ],
  [
    'moves an item',
    { foo: ['all', 'grass', 'cows', 'eat'] },
    [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
    { foo: ['all', 'cows', 'eat', 'grass'] },
  ],
  ['copies', { foo: { a: 1 } }, [{ op: 'copy', from: '/foo', path: '/bar' }], { foo: { a: 1 }, bar: { a: 1 } }],
  [
    'tests',
    { baz: 'qux', foo: ['a', 2] },
    [
      { op: 'test', path: '/baz', value: 'qux' },
      { op: 'test', path: '/foo/1', value: 2 },
    ],
    { baz: 'qux', foo: ['a', 2] },
  ],
  [
    'tests objects whatever the order of members',
    { a: { x: 1, y: 2 } },
    [{ op: 'test', path: '/a', value: { y: 2, x: 1 } }],
    { a: { x: 1, y: 2 } },
  ],
  [
    'unescapes ~1 before ~0',
    { '/': 9, '~1': 10 },
    [
      { op: 'test', path: '/~01', value: 10 },
      { op: 'replace', path: '/~1', value: 8 },
    ],
    { '/': 8, '~1': 10 },
  ],
  [
    'ignores members that it does not know',
    { foo: 'bar' },
    [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }],
    { foo: 'bar', baz: 'qux' },
  ],
  ['knows the empty name', { '': 1 }, [{ op: 'replace', path: '/', value: 2 }], { '': 2 }],
])('%s', (_, target, patch, result) => expect(jsonPatch(target, patch)).toEqual(result));

test.each<[string, Json, Json, string]>([
  ['a test that fails', { baz: 'qux' }, [{ op: 'test', path: '/baz', value: 'bar' }], 'Conflict'],
  ['a test of a number as text', { '/': 9 }, [{ op: 'test', path: '/~1', value: '9' }], 'Conflict'],
  ['adding where there is no parent', { foo: 'bar' }, [{ op: 'add', path: '/baz/bat', value: 'qux' }], 'Invalid'],
  ['adding beyond the end', { foo: [1] }, [{ op: 'add', path: '/foo/2', value: 1 }], 'Invalid'],
  ['a place with a leading zero', { foo: [1, 2] }, [{ op: 'remove', path: '/foo/01' }], 'Invalid'],
  ['a name as a place', { foo: [1, 2] }, [{ op: 'add', path: '/foo/bar', value: 1 }], 'Invalid'],
  ['removing what is not there', { foo: 1 }, [{ op: 'remove', path: '/bar' }], 'Invalid'],
  ['replacing what is not there', { foo: 1 }, [{ op: 'replace', path: '/bar', value: 1 }], 'Invalid'],
  ['moving what is not there', { foo: 1 }, [{ op: 'move', from: '/bar', path: '/foo' }], 'Invalid'],
  ['moving into itself', { foo: { bar: 1 } }, [{ op: 'move', from: '/foo', path: '/foo/bar' }], 'Invalid'],
  ['copying what is not there', { foo: 1 }, [{ op: 'copy', from: '/bar', path: '/baz' }], 'Invalid'],
  ['an operation that there is not', {}, [{ op: 'explode', path: '/a' }], 'Invalid'],
  ['a pointer that does not begin with /', { a: 1 }, [{ op: 'remove', path: 'a' }], 'Invalid'],
  ['adding without a value', {}, [{ op: 'add', path: '/a' }], 'Invalid'],
  ['moving without from', { a: 1 }, [{ op: 'move', path: '/a' }], 'Invalid'],
  ['an operation that is no object', {}, ['remove'], 'Invalid'],
  ['a patch that is no list', {}, { op: 'remove', path: '/a' }, 'BadRequest'],
  ['a prototype', {}, [{ op: 'add', path: '/constructor/prototype/x', value: 1 }], 'Invalid'],
])('refuses %s', (_, target, patch, reason) => expect(refusal(target, patch)).toBe(reason));

/** As it comes from a text: without -0. */
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
const name = fc
  .oneof(fc.constantFrom('a', 'b', '', '~', '/', '~1', '0', 'a/b'), fc.string({ maxLength: 4 }))
  .filter((name) => !/^(__proto__|constructor|prototype)$/.test(name));
const object = fc.dictionary(name, json, { maxKeys: 4 }) as fc.Arbitrary<JsonObject>; // of JSON
const pointer = (...names: (string | number)[]) =>
  names.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

describe('for any document', () => {
  test('what is added is found there, whatever its name, and removing it undoes that', () => {
    fc.assert(
      fc.property(object, name, json, (target, name, value) => {
        const path = pointer(name);
        const added = jsonPatch(target, [
          { op: 'add', path, value },
          { op: 'test', path, value },
        ]) as JsonObject;
        expect(added).toEqual({ ...target, [name]: value });
        const { [name]: _, ...others } = target;
        expect(jsonPatch(added, [{ op: 'remove', path }])).toEqual(others);
      }),
    );
  });

  test('adding an item moves those behind it', () => {
    fc.assert(
      fc.property(fc.array(json, { maxLength: 5 }), json, fc.nat(), (list, value, where) => {
        const at = where % (list.length + 1);
        expect(jsonPatch({ list }, [{ op: 'add', path: pointer('list', at), value }])).toEqual({
          list: list.toSpliced(at, 0, value),
        });
        const beyond = [{ op: 'add', path: pointer('list', list.length + 1), value }];
        expect(refusal({ list }, beyond)).toBe('Invalid');
      }),
    );
  });

  test('a move is a removal and an addition, a copy is an addition', () => {
    fc.assert(
      fc.property(object, name, json, name, (rest, from, value, to) => {
        const target = { ...rest, [from]: value };
        const copied = jsonPatch(target, [{ op: 'copy', from: pointer(from), path: pointer(to) }]);
        expect(copied).toEqual({ ...target, [to]: value });
        const moved = jsonPatch(target, [{ op: 'move', from: pointer(from), path: pointer(to) }]);
        const { [from]: _, ...others } = target;
        expect(moved).toEqual({ ...others, [to]: value });
      }),
    );
  });

  test('a test passes when the values are equal, and only then', () => {
    fc.assert(
      fc.property(json, json, (value, other) => {
        expect(refusal({ value }, [{ op: 'test', path: '/value', value }])).toBe('accepted');
        const expected = isDeepStrictEqual(value, other) ? 'accepted' : 'Conflict';
        expect(refusal({ value }, [{ op: 'test', path: '/value', value: other }])).toBe(expected);
      }),
    );
  });

  test('a patch that fails at its end has changed nothing', () => {
    fc.assert(
      fc.property(object, name, json, (target, name, value) => {
        const before = structuredClone(target);
        const patch = [
          { op: 'add', path: pointer(name), value },
          { op: 'remove', path: '/not/there/at/all' },
        ];
        expect(refusal(target, patch)).toBe('Invalid');
        expect(target).toEqual(before);
      }),
    );
  });
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
