import { isDeepStrictEqual } from 'node:util';
import type { MessageRecord } from './decode.ts';
import type { FieldError } from './errors.ts';
import type { FieldSchema, MessageSchema } from './schema.ts';

/**
 * Fields marked immutable that differ between two versions of one object. Only the object's own fields count, and those of
 * its metadata and spec: below these, a message such as a template's metadata is a value like any other.
 */
export function validateImmutable(schema: MessageSchema, next: object, previous: object): FieldError[] {
  const errors = changed(schema, next as MessageRecord, previous as MessageRecord, '');
  for (const part of ['metadata', 'spec']) {
    const message = schema.byJsonName.get(part)?.message;
    if (message === undefined) continue;
    const after = (next as MessageRecord)[part] as MessageRecord | undefined; // a generated message or absent
    const before = (previous as MessageRecord)[part] as MessageRecord | undefined;
    if (after !== undefined && before !== undefined) errors.push(...changed(message, after, before, `${part}.`));
  }
  return errors;
}

function changed(schema: MessageSchema, next: MessageRecord, previous: MessageRecord, prefix: string): FieldError[] {
  return immutableFields(schema)
    .filter(({ property }) => !isDeepStrictEqual(next[property], previous[property]))
    .map(({ jsonName }) => ({ path: prefix + jsonName, message: 'can not be changed once the object exists' }));
}

const fieldsBySchema = new Map<MessageSchema, readonly FieldSchema[]>();

function immutableFields(schema: MessageSchema): readonly FieldSchema[] {
  let fields = fieldsBySchema.get(schema);
  if (fields === undefined) {
    fields = schema.fields.filter(({ rules }) => rules.immutable);
    fieldsBySchema.set(schema, fields);
  }
  return fields;
}
