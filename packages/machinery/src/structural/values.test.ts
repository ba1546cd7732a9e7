import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../encode.ts';
import { completeValue, unknownFields } from './complete.ts';
import { messageOf } from './fields.ts';
import { jsonPath } from './json-path.ts';
import { readNode } from './node.ts';
import { valueCheck } from './value-check.ts';

const schema: JsonObject = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', maxLength: 5 },
    count: { type: 'integer', default: 1, minimum: 0, maximum: 10, exclusiveMaximum: true },
    ratio: { type: 'number', multipleOf: 0.5 },
    maybe: { type: 'string', nullable: true, enum: ['a', 'b'] },
    port: { 'x-kubernetes-int-or-string': true },
    when: { type: 'string', format: 'date-time' },
    host: { type: 'string', pattern: '(?i)^(?P<host>[a-z]+)\\-\\:$' },
    size: { type: 'string', format: 'of-our-own' },
    tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    parts: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['id'],
      items: { type: 'object', properties: { id: { type: 'integer' } } },
    },
    limits: { type: 'object', additionalProperties: { type: 'integer' } },
    inner: { type: 'object', default: {}, properties: { on: { type: 'boolean', default: true } } },
    either: {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    open: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { known: { type: 'object', properties: { x: { type: 'string' } } } },
    },
    embedded: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
  },
};
const node = readNode(schema);
const check = valueCheck(schema);

test.each<[JsonObject, string[]]>([
  [{ name: 'a' }, []],
  [{}, ['name: must be set']],
  [{ name: 7 }, ['name: must be text, not 7: write "7"']],
  [{ name: 'abcdef' }, ['name: must have at most 5 characters']],
  [{ name: 'a', count: 10 }, ['count: 10 must be less than 10']],
  [{ name: 'a', count: 1.5 }, ['count: must be a whole number, not 1.5']],
  [{ name: 'a', ratio: 0.3 }, ['ratio: 0.3 must be a multiple of 0.5']],
  [{ name: 'a', maybe: null }, []],
  [{ name: 'a', maybe: 'c' }, ['maybe: "c" must be one of a, b, null']],
  [{ name: 'a', port: 'http' }, []],
  [{ name: 'a', port: [] }, ['port: must be a whole number or text, not a list']],
  [{ name: 'a', when: 'soon' }, ['when: "soon" must be a time, 2006-01-02T15:04:05Z']],
  [{ name: 'a', host: 'Web-:' }, []],
  [{ name: 'a', host: 'web:' }, ['host: "web:" must match (?i)^(?P<host>[a-z]+)\\-\\:$']],
  [{ name: 'a', size: 'anything' }, []],
  [{ name: 'a', tags: ['x', 'y', 'x'] }, ['tags: items 0 and 2 are the same; each may stand there once']],
  [{ name: 'a', parts: [{ id: 1 }, { id: 2 }] }, []],
  [{ name: 'a', parts: [{ id: 1 }, { id: 1 }] }, ['parts: has two items with the same key']],
  [{ name: 'a', limits: { 'a/b': 'x' } }, ['limits[a/b]: must be a whole number, not "x"']],
  [{ name: 'a', either: {} }, ['either: must match exactly one of the schemas in oneOf']],
  [{ name: 'a', embedded: { kind: 'Pod' } }, ['embedded.apiVersion: must be set']],
])('%j', (value, problems) => {
  expect(check(value).map(({ path, message }) => `${path}: ${message}`)).toEqual(problems);
});

test('what is kept: defaults come, unknown fields go, open places stay, names are in order', () => {
  const value = {
    name: 'a',
    zip: 1,
    open: { z: { y: 1, b: 2 }, known: { x: '1', y: 2 } },
    limits: { b: 1, a: 2 },
    embedded: { kind: 'Pod', apiVersion: 'v1' },
    count: null,
  };
  expect(JSON.stringify(completeValue(node, value))).toBe(
    JSON.stringify({
      count: 1,
      embedded: { apiVersion: 'v1', kind: 'Pod' },
      inner: { on: true },
      limits: { a: 2, b: 1 },
      name: 'a',
      open: { known: { x: '1' }, z: { b: 2, y: 1 } },
    }),
  );
  expect(unknownFields(node, value).map(({ path }) => path)).toEqual(['zip', 'open.known.y']);
});

test('completing is done once, and leaves nothing unknown', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...node.properties.keys(), 'x', 'y'), fc.jsonValue()), (value) => {
      const once = completeValue(node, value as JsonObject);
      expect(completeValue(node, once)).toEqual(once);
      expect(JSON.stringify(completeValue(node, once))).toBe(JSON.stringify(once));
      expect(unknownFields(node, once as JsonObject)).toEqual([]);
    }),
  );
});

test('a field as merging, ownership and explanations see it', () => {
  const list = readNode({
    type: 'object',
    properties: {
      parts: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: { type: 'object', properties: { name: { type: 'string' } } },
      },
      limits: { type: 'object', additionalProperties: { type: 'integer' } },
    },
  });
  const { byJsonName } = messageOf(list, 'Test');
  expect(byJsonName.get('parts')).toMatchObject({ cardinality: 'list', type: 'message', rules: { mergeKey: 'name' } });
  expect(byJsonName.get('parts')?.message?.byJsonName.get('name')?.type).toBe('string');
  expect(byJsonName.get('limits')).toMatchObject({ cardinality: 'map', type: 'int32' });
});

const object: Json = {
  metadata: { labels: { 'app.kubernetes.io/name': 'web' } },
  spec: {
    items: [
      { name: 'a', size: 1 },
      { name: 'b', size: 2 },
    ],
    on: true,
  },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Old', status: 'False' },
    ],
  },
};

test.each<[string, Json[]]>([
  ['.spec.on', [true]],
  ['.spec.items[1].name', ['b']],
  ['.spec.items[*].name', ['a', 'b']],
  ['.spec.items[7]', []],
  ["$.spec['items'][0].size", [1]],
  ['.metadata.labels.app\\.kubernetes\\.io/name', ['web']],
  ['.status.conditions[?(@.type=="Ready")].status', ['True']],
  [".status.conditions[?(@.type != 'Ready')].type", ['Old']],
  ['.spec.items[?(@.size>1)].name', ['b']],
  ['.spec.items[?(@.missing)]', []],
  ['.nothing.there', []],
])('%s', (path, values) => expect(jsonPath(path)?.(object)).toEqual(values));

test.each(['spec', '', '.spec[', '.a..b', '.a[?(b)]', '{.spec}'])('%j is no path', (path) => {
  expect(jsonPath(path)).toBeUndefined();
});
