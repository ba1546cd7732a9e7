import { DeploymentSpec, Pod, Secret } from '@navarch/proto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeObject } from '../encode.ts';
import { type FieldSchema, type MessageSchema, messageSchema } from '../schema.ts';
import { JsonBuffer } from './json-buffer.ts';
import { writeMessage } from './message-json.ts';

/** Any message of a schema, in the shape of the generated types; nested at most `depth` deep. */
function anyMessage(schema: MessageSchema, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = schema.fields.filter(({ message }) => message === undefined || depth > 0);
  const left = schema.fields.filter(({ message }) => message !== undefined && depth === 0);
  const absent = left.map(({ property, cardinality }) => {
    return [property, cardinality === 'list' ? [] : cardinality === 'map' ? {} : undefined] as const;
  });
  const model = Object.fromEntries(fields.map((field) => [field.property, anyField(field, depth)]));
  return fc.record(model).map((value) => ({ ...Object.fromEntries(absent), ...value }));
}

function anyField(field: FieldSchema, depth: number): fc.Arbitrary<unknown> {
  const one = anyValue(field, depth);
  if (field.cardinality === 'list') return fc.array(one, { maxLength: 2 });
  if (field.cardinality === 'map') return fc.dictionary(fc.string({ unit: 'binary' }), one, { maxKeys: 2 });
  return field.presence ? fc.option(one, { nil: undefined }) : one;
}

function anyValue(field: FieldSchema, depth: number): fc.Arbitrary<unknown> {
  switch (field.type) {
    case 'string':
      return fc.oneof(fc.constant(''), fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));
    case 'bool':
      return fc.boolean();
    case 'int32':
      return fc.integer();
    case 'int64':
      return fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n });
    case 'double':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'bytes':
      return fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes));
    case 'value':
      // An object's key __proto__ would be no key of a plain object; null is absence.
      return fc
        .jsonValue({ maxDepth: 2 })
        .filter((json) => json !== null && !JSON.stringify(json).includes('__proto__'));
    default:
      return anyMessage(field.message as MessageSchema, depth - 1); // only messages are left
  }
}

function written(schema: MessageSchema, bytes: Uint8Array): unknown {
  const out = new JsonBuffer(16);
  writeMessage(out, schema, bytes);
  return JSON.parse(out.take().toString('utf8'));
}

test.each([Pod, DeploymentSpec, Secret])('the JSON of encoded bytes is that of the message: $$type', (codec) => {
  const schema = messageSchema(codec.$type);
  fc.assert(
    fc.property(anyMessage(schema, 3), (message) => {
      const wellFormed = JSON.parse(JSON.stringify(encodeObject(schema, message)));
      // What the generator made is that message, by its descriptors.
      const bytes = (codec as { encode(message: unknown): { finish(): Uint8Array } }).encode(message).finish();
      expect(written(schema, bytes)).toEqual(wellFormed);
    }),
    { numRuns: 60 },
  );
});

test('texts are escaped, and only where they must be', () => {
  const name = '"\\\u0000\u001f\n/<é\u{1F600}';
  const bytes = Pod.encode(Pod.fromJSON({ metadata: { name, labels: { [name]: '' } } })).finish();
  const out = new JsonBuffer();
  writeMessage(out, messageSchema(Pod.$type), bytes);
  expect(out.take().toString('utf8')).toBe(JSON.stringify({ metadata: { name, labels: { [name]: '' } } }));
});

test('a message with a field in two pieces, or cut off, is refused, and leaves the buffer as it was', () => {
  const [status, metadata] = [{ status: {} }, { metadata: { name: 'a' } }].map((part) =>
    Pod.encode(Pod.fromJSON(part)).finish(),
  );
  const out = new JsonBuffer();
  out.ascii('[');
  for (const bytes of [
    Buffer.concat([metadata!, status!, metadata!]),
    Buffer.concat([metadata!, metadata!]),
    metadata!.subarray(0, -1),
  ]) {
    expect(() => writeMessage(out, messageSchema(Pod.$type), bytes)).toThrow(RangeError);
  }
  expect(out.take().toString('utf8')).toBe('[');
});
