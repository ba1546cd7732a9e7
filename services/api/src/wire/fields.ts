import type { FieldSchema, MessageSchema } from '@navarch/machinery';
import { OwnerReference } from '@navarch/proto';
import { readVarint } from './varint.ts';

/** What an encoded message holds in a field that is a message, a text or bytes; undefined when it is not there. */
export function fieldBytes(message: Uint8Array, number: number): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  for (let at = 0; at < message.length; ) {
    const { value: tag, end } = readVarint(message, at);
    const next = endOfField(message, tag & 7, end);
    // Of a field that comes twice the last counts. (Encoders write each once.)
    if (tag >>> 3 === number) found = message.subarray(readVarint(message, end).end, next);
    at = next;
  }
  return found;
}

/** The bytes of some of a message's fields as one text: equal for messages that are alike in all of them. */
export function fieldsText(message: Uint8Array, numbers: ReadonlySet<number | undefined>): string {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  let text = '';
  for (let at = 0; at < message.length; ) {
    const { value: tag, end } = readVarint(message, at);
    const next = endOfField(message, tag & 7, end);
    if (numbers.has(tag >>> 3)) text += bytes.toString('latin1', at, next);
    at = next;
  }
  return text;
}

/** Reads one text field, such as `spec.nodeName`, of encoded objects without decoding them. '' when it is not there. */
export function textReader(schema: MessageSchema, path: string): (object: Uint8Array) => string {
  const numbers: number[] = [];
  let message: MessageSchema | undefined = schema;
  for (const name of path.split('.')) {
    const field: FieldSchema | undefined = message?.byJsonName.get(name);
    if (field?.number === undefined) throw new Error(`${schema.name} has no field ${path} in its encoded form`);
    numbers.push(field.number);
    message = field.message;
  }
  return (object) => {
    let bytes: Uint8Array | undefined = object;
    for (const number of numbers) {
      bytes = fieldBytes(bytes, number);
      if (bytes === undefined) return '';
    }
    return text(bytes);
  };
}

/** Field numbers of navarch/meta/v1/meta.proto. `metadata` is field 1 of every kind's message. */
const metadataField = 1;
const uidField = 4;
const labelsField = 10;
const ownerReferencesField = 12;

/** The labels of an encoded object, read without decoding the rest. */
export function labelsOf(object: Uint8Array): Record<string, string> {
  const metadata = fieldBytes(object, metadataField);
  return metadata === undefined ? {} : textMap(metadata, labelsField);
}

/** The uid of an encoded object, read without decoding the rest. */
export function uidOf(object: Uint8Array): string {
  const metadata = fieldBytes(object, metadataField);
  return metadata === undefined ? '' : text(fieldBytes(metadata, uidField));
}

/** The owners of an encoded object, read without decoding the rest. */
export function ownersOf(object: Uint8Array): readonly OwnerReference[] {
  const metadata = fieldBytes(object, metadataField) ?? new Uint8Array();
  const owners: OwnerReference[] = [];
  for (let at = 0; at < metadata.length; ) {
    const { value: tag, end } = readVarint(metadata, at);
    const next = endOfField(metadata, tag & 7, end);
    if (tag >>> 3 === ownerReferencesField) {
      owners.push(OwnerReference.decode(metadata.subarray(readVarint(metadata, end).end, next)));
    }
    at = next;
  }
  return owners;
}

/** What an encoded message holds in a map from text to text. */
function textMap(message: Uint8Array, number: number): Record<string, string> {
  const map: Record<string, string> = {};
  for (let at = 0; at < message.length; ) {
    const { value: tag, end } = readVarint(message, at);
    const next = endOfField(message, tag & 7, end);
    if (tag >>> 3 === number) {
      const entry = message.subarray(readVarint(message, end).end, next);
      map[text(fieldBytes(entry, 1))] = text(fieldBytes(entry, 2));
    }
    at = next;
  }
  return map;
}

function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Source: https://protobuf.dev/programming-guides/encoding/#structure */
function endOfField(source: Uint8Array, wireType: number, at: number): number {
  switch (wireType) {
    case 0: {
      let end = at;
      while ((source[end] ?? 0) >= 0x80) end++;
      return end + 1;
    }
    case 1:
      return at + 8;
    case 2: {
      const { value, end } = readVarint(source, at);
      return end + value;
    }
    case 5:
      return at + 4;
    default:
      throw new RangeError(`no field of wire type ${wireType} at byte ${at}`);
  }
}
