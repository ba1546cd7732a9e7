import { expect, test } from 'vitest';
import type { JsonObject } from '../encode.ts';
import { structuralErrors } from './check.ts';

const spec = (spec: JsonObject): JsonObject => ({ type: 'object', properties: { spec } });
const errors = (schema: JsonObject) => structuralErrors(schema, []).map(({ path, message }) => `${path}: ${message}`);

test.each<[string, JsonObject]>([
  ['a type for each field', spec({ type: 'object', properties: { a: { type: 'string', pattern: '^a+$' } } })],
  ['a map', spec({ type: 'object', additionalProperties: { type: 'integer' } })],
  ['an open place', spec({ 'x-kubernetes-preserve-unknown-fields': true })],
  [
    'int-or-string, also with both of its types named',
    spec({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }),
  ],
  [
    'logic that narrows named fields',
    spec({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      oneOf: [{ required: ['a'] }, { properties: { b: { minLength: 1 } }, required: ['b'] }],
    }),
  ],
  [
    'a list by keys',
    spec({
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: { type: 'string' } } },
    }),
  ],
])('%s is structural', (_, schema) => expect(errors(schema)).toEqual([]));

test.each<[string, JsonObject, string]>([
  ['no type', spec({}), 'properties.spec.type: must be set'],
  ['another type', spec({ type: 'float' }), 'properties.spec.type: "float" must be one of object'],
  ['a root that is no object', { type: 'array', items: { type: 'string' } }, 'type: must be object'],
  ['a list of nothing', spec({ type: 'array' }), 'properties.spec.items: must be set'],
  ['a reference', spec({ type: 'object', $ref: '#/a' }), 'properties.spec.$ref: is not supported'],
  [
    'a misspelling',
    spec({ type: 'string', patern: 'a' }),
    'properties.spec.patern: is no part of a structural schema; did you mean "pattern"?',
  ],
  [
    'a type in logic',
    spec({ type: 'object', anyOf: [{ type: 'object' }] }),
    'properties.spec.anyOf[0].type: must not stand in',
  ],
  [
    'a field in logic alone',
    spec({ type: 'object', allOf: [{ properties: { a: { minLength: 1 } } }] }),
    'properties.spec.allOf[0].properties.a: is not named outside',
  ],
  [
    'both properties and additionalProperties',
    spec({ type: 'object', properties: {}, additionalProperties: { type: 'string' } }),
    'properties.spec.additionalProperties: must not stand beside',
  ],
  ['no additional properties', spec({ type: 'object', additionalProperties: false }), 'must not be false'],
  ['a pattern that is none', spec({ type: 'string', pattern: '(' }), 'properties.spec.pattern: can not be read'],
  [
    'unique items',
    spec({ type: 'array', items: { type: 'string' }, uniqueItems: true }),
    'x-kubernetes-list-type: set',
  ],
  ['a rule in CEL', spec({ type: 'string', 'x-kubernetes-validations': [] }), 'rules in CEL are not supported'],
  [
    'a key that items lack',
    spec({
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['id'],
      items: { type: 'object', properties: { name: { type: 'string' } } },
    }),
    'properties.spec.x-kubernetes-list-map-keys[0]: "id" must be one of the properties of items',
  ],
  [
    'labels in metadata',
    { type: 'object', properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } },
    'properties.metadata.properties.labels: the metadata of a kind can be narrowed',
  ],
])('%s is not', (_, schema, message) => {
  expect(errors(schema)).toHaveLength(1);
  expect(errors(schema)[0]).toContain(message);
});
