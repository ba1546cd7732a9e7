import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  applyDefaults,
  emptyMessage,
  type FieldSchema,
  type KubeObject,
  type MessageSchema,
  readYaml,
  validateObject,
} from '@navarch/machinery';
import { Resource } from '@navarch/proto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeManifest, manifest } from './manifest.ts';
import { builtinKinds, kinds } from './registry.ts';
import { liveObject, toResource } from './resource.ts';

const examples = join(import.meta.dirname, '../../../examples');

test('every kind of the contract has a definition', () => {
  // A partial object is of any kind, and custom kinds are defined by what is in a cluster.
  expect([...kinds.map((kind) => kind.case), 'partial', 'custom'].sort()).toEqual(contractCases().sort());
});

describe.each(kinds.map((kind) => ({ kind, name: kind.kind })))('$name', ({ kind, name }) => {
  const schema = kind.schema;

  test('is found by all of its names', () => {
    for (const text of [name, kind.plural, kind.singular, kind.resource, ...kind.shortNames]) {
      expect(builtinKinds.byResource(text)).toBe(kind);
    }
  });

  test('the schema knows the properties of the generated type', () => {
    const generated = kind.message.fromJSON({});
    expect(Object.keys(emptyMessage(schema)).sort()).toEqual(Object.keys(generated).sort());
    expect(emptyMessage(schema)).toEqual(generated);
  });

  test('a manifest and its object say the same', () => {
    fc.assert(
      fc.property(messages(schema, 3), (object) => {
        const sent = object as KubeObject; // of this kind
        const json: unknown = JSON.parse(JSON.stringify(manifest(kind, sent)));
        const decoded = decodeManifest(json);
        expect(decoded.errors).toEqual([]);
        // Through JSON an empty message at the top is absent; over the wire it is not.
        expect(manifest(kind, decoded.object!)).toEqual(json);
        const bytes = Resource.encode(toResource(kind, sent)).finish();
        expect(manifest(kind, liveObject(Resource.decode(bytes)))).toEqual(json);
      }),
      { numRuns: 50 },
    );
  });

  test('a live object has all its parts', () => {
    const live = liveObject({ revision: 7n, object: toResource(kind, kind.message.fromJSON({})).object });
    expect(live.metadata?.resourceVersion).toBe('7');
    const parts = Object.entries(live).filter(([part]) => ['metadata', 'spec', 'status'].includes(part));
    expect(parts.every(([, value]) => value !== undefined)).toBe(true);
    expect(parts.some(([part]) => part === 'status')).toBe(kind.hasStatus);
  });

  test('its example is right', () => {
    const { documents, errors } = readYaml(readFileSync(join(examples, kind.example), 'utf8'));
    expect(errors).toEqual([]);
    expect(documents).toHaveLength(1);
    const decoded = decodeManifest(documents[0]?.json);
    expect(decoded.errors).toEqual([]);
    expect(decoded.kind).toBe(kind);
    const object = decoded.object!;
    object.metadata!.namespace ||= 'default';
    applyDefaults(schema, object);
    kind.complete?.(object);
    expect([...validateObject(schema, object), ...(kind.validate?.(object) ?? [])]).toEqual([]);
  });

  test('its columns can show an object that has nothing yet', () => {
    const empty = emptyMessage(schema) as KubeObject;
    for (const column of kind.columns) expect(column.value(empty, 0)).toBeDefined();
    for (const read of Object.values(kind.selectableFields)) expect(typeof read(empty)).toBe('string');
    const { feedField, selectableFields } = kind;
    expect(feedField === undefined || feedField in selectableFields).toBe(true);
  });
});

describe('decodeManifest', () => {
  test.each<[unknown, string, string]>([
    [[], '', 'must be an object'],
    [{ kind: 'Pod' }, 'apiVersion', 'must be set'],
    [{ apiVersion: 'v1' }, 'kind', 'must be set'],
    [{ apiVersion: 'v1', kind: 'Pood' }, 'kind', 'did you mean Pod?'],
    [{ apiVersion: 'v1', kind: 'Deployment' }, 'apiVersion', 'has the apiVersion apps/v1'],
    [{ apiVersion: 'batch/v1', kind: 'Batch' }, 'kind', 'known are'],
  ])('%j', (json, path, message) => {
    expect(decodeManifest(json)).toMatchObject({
      kind: undefined,
      errors: [{ path, message: expect.stringContaining(message) as string }],
    });
  });
});

test('a resourceVersion is a number', () => {
  const [kind] = kinds;
  const object = kind!.message.fromJSON({ metadata: { resourceVersion: 'x1' } });
  expect(() => toResource(kind!, object)).toThrow('resourceVersion');
});

/** The names in Resource's oneof, found by decoding an empty message in each of its field numbers. */
function contractCases(): string[] {
  const tags = Array.from({ length: 100 }, (_, index) => ((16 + index) << 3) | 2);
  const cases = tags.map((tag) => Resource.decode(Uint8Array.from([(tag & 0x7f) | 0x80, tag >> 7, 0])).object?.$case);
  return cases.filter((name) => name !== undefined);
}

/** Any message of a schema, with values that its fields can hold. */
function messages(schema: MessageSchema, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = schema.fields.filter((field) => depth > 0 || field.message === undefined);
  return fc
    .record(Object.fromEntries(fields.map((field) => [field.property, values(field, depth)])))
    .map((some) => ({ ...emptyMessage(schema), ...some }));
}

function values(field: FieldSchema, depth: number): fc.Arbitrary<unknown> {
  const one = single(field, depth);
  if (field.cardinality === 'list') return fc.array(one, { maxLength: 2 });
  if (field.cardinality === 'map')
    return fc.dictionary(fc.stringMatching(/^[a-z.]{1,5}$/), one, { maxKeys: 2, noNullPrototype: true });
  return field.presence ? fc.option(one, { nil: undefined }) : one;
}

function single(field: FieldSchema, depth: number): fc.Arbitrary<unknown> {
  if (field.message !== undefined) return messages(field.message, depth - 1);
  if (field.property === 'resourceVersion') return fc.nat().map((revision) => (revision === 0 ? '' : String(revision)));
  switch (field.type) {
    case 'string':
      return fc.string({ maxLength: 6 });
    case 'bool':
      return fc.boolean();
    case 'int32':
      return fc.integer();
    case 'int64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'double':
      return fc.double({ noNaN: true });
    case 'bytes':
      return fc.uint8Array({ maxLength: 6 });
    default:
      return fc.oneof(fc.integer(), fc.string({ maxLength: 6 }));
  }
}
