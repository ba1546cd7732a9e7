import type { KindDefinition } from '@navarch/kinds';
import { Resource } from '@navarch/proto';
import { objectBytes } from './responses.ts';
import { readVarint } from './varint.ts';

/** Fields of navarch.apiextensions.v1.CustomObject, which its encoder writes in this order. */
const metadataTag = 1 * 8 + 2;
const apiVersionTag = 2 * 8 + 2;

/**
 * An encoded Resource without revision as an object of `kind`, of which it may be another version: between versions only
 * the apiVersion differs. Objects of built-in kinds, and those that fit, are given back as they are.
 */
export function bodyInKind(kind: KindDefinition, body: Uint8Array): Uint8Array {
  if (kind.case !== 'custom' || apiVersionOf(objectBytes(body)) === kind.apiVersion) return body;
  const { object } = Resource.decode(body);
  if (object?.$case !== 'custom') throw new TypeError('a custom kind has an object of another kind');
  object.value.apiVersion = kind.apiVersion;
  return Resource.encode({ revision: 0n, object }).finish();
}

function apiVersionOf(object: Uint8Array): string {
  for (let at = 0; at < object.length; ) {
    const tag = readVarint(object, at);
    const length = readVarint(object, tag.end);
    const end = length.end + length.value;
    if (tag.value === apiVersionTag) return Buffer.from(object.subarray(length.end, end)).toString('utf8');
    if (tag.value !== metadataTag) return '';
    at = end;
  }
  return '';
}
