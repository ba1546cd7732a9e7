import type { KindDefinition } from '@navarch/kinds';
import { delimitedSize, encodeResource, objectBytes, writeHeader } from './responses.ts';
import { readVarint, varintSize, writeVarint } from './varint.ts';

/** Field numbers of navarch/api/v1/resources.proto. `metadata` is field 1 of every kind's message, too. */
const partialField = 32;
const metadataField = 1;
const apiVersionField = 2;
const kindField = 3;

/** A Resource with a PartialObject, cut out of `body` (an encoded Resource without revision) without decoding it. */
export function encodePartial(
  revision: bigint,
  body: Uint8Array,
  { apiVersion, kind }: Pick<KindDefinition, 'apiVersion' | 'kind'>,
): Buffer {
  const metadata = metadataBytes(objectBytes(body));
  const names = [Buffer.from(apiVersion, 'utf8'), Buffer.from(kind, 'utf8')] as const;
  let length = delimitedSize(metadata.length);
  for (const name of names) length += delimitedSize(name.length);
  // The tag of a field above 15 takes two bytes.
  const partial = Buffer.allocUnsafe(2 + varintSize(length) + length);
  let at = writeVarint(partial, writeVarint(partial, 0, partialField * 8 + 2), length);
  at = writeBytes(partial, at, metadataField, metadata);
  at = writeBytes(partial, at, apiVersionField, names[0]);
  writeBytes(partial, at, kindField, names[1]);
  return encodeResource(revision, partial);
}

/** What an object's first field holds; empty when it is not there. */
function metadataBytes(object: Uint8Array): Uint8Array {
  for (let at = 0; at < object.length; ) {
    const { value: tag, end } = readVarint(object, at);
    const next = endOfField(object, tag & 7, end);
    if (tag >>> 3 === metadataField) return object.subarray(readVarint(object, end).end, next);
    at = next;
  }
  return new Uint8Array();
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

function writeBytes(target: Uint8Array, offset: number, field: number, bytes: Uint8Array): number {
  const at = writeHeader(target, offset, field, bytes.length);
  target.set(bytes, at);
  return at + bytes.length;
}
