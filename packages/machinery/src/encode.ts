import type { MessageRecord } from './decode.ts';
import type { FieldSchema, MessageSchema } from './schema.ts';

/** JSON as a manifest holds it. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/**
 * The manifest form of a message, fields in the order of the proto file. What is empty is left out: unset scalars, empty
 * lists and maps. A message that is there but holds nothing stays ({} says something: `emptyDir: {}`), and so does a zero
 * where absent means something else.
 */
export function encodeObject(schema: MessageSchema, value: object): JsonObject {
  if (schema.own !== undefined) return schema.own.encode(value);
  const json: JsonObject = {};
  for (const field of schema.fields) {
    const item = (value as MessageRecord)[field.property];
    const encoded = item === undefined || item === null ? undefined : encodeField(field, item);
    if (encoded !== undefined) json[field.jsonName] = encoded;
  }
  return json;
}

// The casts below hold because `item` is that field's property in a generated message.
function encodeField(field: FieldSchema, item: unknown): Json | undefined {
  if (field.cardinality === 'list') {
    const items = item as readonly unknown[];
    return items.length === 0 ? undefined : items.map((one) => encodeValue(field, one));
  }
  if (field.cardinality === 'map') {
    const entries = Object.entries(item as MessageRecord);
    return entries.length === 0
      ? undefined
      : Object.fromEntries(entries.map(([key, one]) => [key, encodeValue(field, one)]));
  }
  if (!field.presence && isZero(item)) return undefined;
  return encodeValue(field, item);
}

function encodeValue(field: FieldSchema, item: unknown): Json {
  if (field.message !== undefined) return encodeObject(field.message, item as object);
  if (field.type === 'bytes') return Buffer.from(item as Uint8Array).toString('base64');
  if (field.type === 'int64') {
    const number = Number(item);
    return Number.isSafeInteger(number) ? number : String(item);
  }
  return item as Json;
}

function isZero(item: unknown): boolean {
  return (
    item === '' || item === 0 || item === false || item === 0n || (item instanceof Uint8Array && item.length === 0)
  );
}
