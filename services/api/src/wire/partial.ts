import type { KindDefinition } from '@navarch/kinds';
import { fieldBytes } from './fields.ts';
import { delimitedSize, encodeResource, objectBytes, writeHeader } from './responses.ts';
import { varintSize, writeVarint } from './varint.ts';

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
  const metadata = fieldBytes(objectBytes(body), metadataField) ?? new Uint8Array();
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

function writeBytes(target: Uint8Array, offset: number, field: number, bytes: Uint8Array): number {
  const at = writeHeader(target, offset, field, bytes.length);
  target.set(bytes, at);
  return at + bytes.length;
}
