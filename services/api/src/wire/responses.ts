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

function messagesSize(messages: readonly Uint8Array[]): number {
  let size = 0;
  for (const { length } of messages) size += delimitedSize(length);
  return size;
}

function writeMessages(target: Uint8Array, offset: number, field: number, messages: readonly Uint8Array[]): number {
  let at = offset;
  for (const message of messages) {
    at = writeHeader(target, at, field, message.length);
    target.set(message, at);
    at += message.length;
  }
  return at;
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

/**
 * Resource: `body` is an encoded Resource without revision. What is `kept` for long gets memory of its own: in a piece of
 * a shared pool it would keep its neighbours' memory for as long as it lives.
 */
export function encodeResource(revision: bigint, body: Uint8Array, { kept = false } = {}): Buffer {
  const size = int64Size(revision) + body.length;
  const target = kept ? Buffer.allocUnsafeSlow(size) : Buffer.allocUnsafe(size);
  target.set(body, writeInt64(target, 0, 1, revision));
  return target;
}

/** The object's own bytes within an encoded Resource without revision. */
export function objectBytes(body: Uint8Array): Uint8Array {
  const { end } = readVarint(body, 0);
  const length = readVarint(body, end);
  return body.subarray(length.end, length.end + length.value);
}

/** A message whose field `field` is `message`, encoded already, and whose other fields are in `rest`, encoded too. */
export function withMessage(field: number, message: Uint8Array, rest: Uint8Array): Buffer {
  const target = Buffer.allocUnsafe(delimitedSize(message.length) + rest.length);
  target.set(rest, writeMessages(target, 0, field, [message]));
  return target;
}

/** ListResponse: `items` are encoded Resources. */
export function encodeList(revision: bigint, items: readonly Uint8Array[], continueToken: string): Buffer {
  const token = Buffer.from(continueToken, 'utf8');
  const size = int64Size(revision) + messagesSize(items) + (token.length === 0 ? 0 : delimitedSize(token.length));
  const target = Buffer.allocUnsafe(size);
  const at = writeMessages(target, writeInt64(target, 0, 1, revision), 2, items);
  if (token.length > 0) target.set(token, writeHeader(target, at, 3, token.length));
  return target;
}

/** A WatchEvent: `resource` is an encoded Resource. */
export interface WireEvent {
  readonly type: EventType;
  readonly resource: Uint8Array;
}

/** What an event takes in a message that holds it. */
export function eventSize({ resource }: WireEvent): number {
  return delimitedSize(2 + delimitedSize(resource.length));
}

/** A WatchResponse that is put together only when it is sent: until then it takes no memory beside the objects' own. */
export interface WireWatch {
  readonly revision: bigint;
  readonly events: readonly WireEvent[];
  readonly initial: boolean;
}

/** Larger answers are rare, and get memory of their own. */
const scratch = Buffer.allocUnsafeSlow(512 * 1024);

/**
 * WatchResponse. The bytes are those of a piece of memory that the next call writes anew: whoever keeps them copies them, as
 * gRPC does when it puts its frame around them. Memory made for each answer would be garbage at once, and Node lets tens
 * of megabytes of such garbage pile up before it looks.
 */
export function encodeWatch({ revision, events, initial }: WireWatch): Buffer {
  const size = int64Size(revision) + eventsSize(events) + (initial ? 2 : 0);
  const target = size <= scratch.length ? scratch.subarray(0, size) : Buffer.allocUnsafe(size);
  const at = writeEvents(target, writeInt64(target, 0, 1, revision), 2, events);
  if (initial) target.set([tag(3, 0), 1], at);
  return target;
}

/** ChangeBatch. */
export function encodeChangeBatch(revision: bigint, previous: bigint, events: readonly WireEvent[]): Buffer {
  const target = Buffer.allocUnsafe(int64Size(revision) + int64Size(previous) + eventsSize(events));
  writeEvents(target, writeInt64(target, writeInt64(target, 0, 1, revision), 2, previous), 3, events);
  return target;
}

function eventsSize(events: readonly WireEvent[]): number {
  let size = 0;
  for (const event of events) size += eventSize(event);
  return size;
}

function writeEvents(target: Uint8Array, offset: number, field: number, events: readonly WireEvent[]): number {
  let at = offset;
  for (const { type, resource } of events) {
    at = writeHeader(target, at, field, 2 + delimitedSize(resource.length));
    target[at++] = tag(1, 0);
    target[at++] = type;
    at = writeMessages(target, at, 2, [resource]);
  }
  return at;
}

/** TransactResponse: `results` are encoded WriteResults. */
export function encodeTransact(results: readonly Uint8Array[]): Buffer {
  const target = Buffer.allocUnsafe(messagesSize(results));
  writeMessages(target, 0, 1, results);
  return target;
}
