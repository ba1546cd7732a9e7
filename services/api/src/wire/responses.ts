import { readVarint, varintSize, writeVarint } from './varint.ts';

/**
 * Answers put together from bytes that are already encoded. Field numbers are those of navarch/api/v1/resources.proto;
 * the test beside this file compares every function with the generated encoder.
 */

/** The type of a WatchEvent, by its number. */
export type EventType = 1 | 2 | 3;
export const added: EventType = 1;
export const modified: EventType = 2;
export const deleted: EventType = 3;

const tag = (field: number, type: 0 | 2): number => field * 8 + type;

export function delimitedSize(length: number): number {
  return 1 + varintSize(length) + length;
}

export function writeHeader(target: Uint8Array, offset: number, field: number, length: number): number {
  target[offset] = tag(field, 2);
  return writeVarint(target, offset + 1, length);
}

/** An int64 field that is left out when 0, as proto3 wants it. */
function int64Size(value: bigint): number {
  return value === 0n ? 0 : 1 + varintSize(value);
}

function writeInt64(target: Uint8Array, offset: number, field: number, value: bigint): number {
  if (value === 0n) return offset;
  target[offset] = tag(field, 0);
  return writeVarint(target, offset + 1, value);
}

/** Resource: `body` is an encoded Resource without revision. */
export function encodeResource(revision: bigint, body: Uint8Array): Buffer {
  const target = Buffer.allocUnsafe(int64Size(revision) + body.length);
  target.set(body, writeInt64(target, 0, 1, revision));
  return target;
}

/** The object's own bytes within an encoded Resource without revision. */
export function objectBytes(body: Uint8Array): Uint8Array {
  const { end } = readVarint(body, 0);
  const length = readVarint(body, end);
  return body.subarray(length.end, length.end + length.value);
}

/** ListResponse: `items` are encoded Resources. */
export function encodeList(revision: bigint, items: readonly Uint8Array[], continueToken: string): Buffer {
  const token = Buffer.from(continueToken, 'utf8');
  let size = int64Size(revision) + (token.length === 0 ? 0 : delimitedSize(token.length));
  for (const item of items) size += delimitedSize(item.length);
  const target = Buffer.allocUnsafe(size);
  let at = writeInt64(target, 0, 1, revision);
  for (const item of items) {
    at = writeHeader(target, at, 2, item.length);
    target.set(item, at);
    at += item.length;
  }
  if (token.length > 0) target.set(token, writeHeader(target, at, 3, token.length));
  return target;
}

/** WatchEvent: `resource` is an encoded Resource. */
export function encodeEvent(type: EventType, resource: Uint8Array): Buffer {
  const target = Buffer.allocUnsafe(2 + delimitedSize(resource.length));
  target[0] = tag(1, 0);
  target[1] = type;
  target.set(resource, writeHeader(target, 2, 2, resource.length));
  return target;
}

/** WatchResponse: `events` are encoded WatchEvents. */
export function encodeWatch(revision: bigint, events: readonly Uint8Array[], initial = false): Buffer {
  let size = int64Size(revision) + (initial ? 2 : 0);
  for (const event of events) size += delimitedSize(event.length);
  const target = Buffer.allocUnsafe(size);
  let at = writeInt64(target, 0, 1, revision);
  for (const event of events) {
    at = writeHeader(target, at, 2, event.length);
    target.set(event, at);
    at += event.length;
  }
  if (initial) target.set([tag(3, 0), 1], at);
  return target;
}

/** ChangeBatch: `events` are encoded WatchEvents. */
export function encodeChangeBatch(revision: bigint, previous: bigint, events: readonly Uint8Array[]): Buffer {
  let size = int64Size(revision) + int64Size(previous);
  for (const event of events) size += delimitedSize(event.length);
  const target = Buffer.allocUnsafe(size);
  let at = writeInt64(target, writeInt64(target, 0, 1, revision), 2, previous);
  for (const event of events) {
    at = writeHeader(target, at, 3, event.length);
    target.set(event, at);
    at += event.length;
  }
  return target;
}
