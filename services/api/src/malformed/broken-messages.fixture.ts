/** For tests: messages of any method, and what makes them unreadable. All of it follows from a seed. */
import { createFileRegistry, type DescField, type DescMessage, fromBinary, ScalarType } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { randomFrom, type Random } from '@navarch/machinery';
import { descriptorSet } from '@navarch/proto';

export const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));

/** How deep a sample is filled: enough for text in a container of a Pod in a Resource of a write of a transaction. */
const sampleDepth = 8;

/** A message with something in most of its fields. */
export function sample(message: DescMessage, seed: number): Buffer {
  return Buffer.concat(fieldsOf(message, randomFrom(seed), sampleDepth));
}

function fieldsOf(message: DescMessage, random: Random, depth: number): Buffer[] {
  const chosen = new Set(message.oneofs.map(({ fields }) => random.pick(fields)));
  return message.fields
    .filter((field) => field.oneof === undefined || chosen.has(field))
    .filter((field) => depth > 0 || (field.message === undefined && field.fieldKind !== 'map'))
    .flatMap((field) => encodeField(field, random, depth));
}

function encodeField(field: DescField, random: Random, depth: number): Buffer[] {
  const body = (): Buffer => {
    if (field.fieldKind === 'map') return Buffer.concat([delimited(1, text(random)), delimited(2, text(random))]);
    if (field.message !== undefined) return Buffer.concat(fieldsOf(field.message, random, depth - 1));
    return text(random);
  };
  const isText = field.fieldKind === 'map' || field.message !== undefined || /string|bytes/.test(scalarName(field));
  if (isText) return [delimited(field.number, body())];
  if (scalarName(field) === 'double') return [Buffer.concat([tag(field.number, 1), Buffer.alloc(8)])];
  return [Buffer.concat([tag(field.number, 0), varint(random.below(3))])];
}

function scalarName(field: DescField): string {
  const scalar = field.fieldKind === 'list' || field.fieldKind === 'scalar' ? field.scalar : undefined;
  if (scalar === ScalarType.STRING) return 'string';
  if (scalar === ScalarType.BYTES) return 'bytes';
  return scalar === ScalarType.DOUBLE ? 'double' : 'varint';
}

function text(random: Random): Buffer {
  return Buffer.from(random.pick(['default', 'pods', 'web', 'configmaps', 'é✓', 'a'.repeat(40)]));
}

/** One field of an encoded message: where it begins, where its content does, and where it and the message around it end. */
interface Place {
  readonly field: DescField | undefined;
  readonly start: number;
  readonly content: number;
  readonly end: number;
  readonly outerEnd: number;
  readonly top: boolean;
}

function places(message: DescMessage, bytes: Buffer, from = 0, outerEnd = bytes.length, top = true): Place[] {
  const found: Place[] = [];
  let at = from;
  while (at < outerEnd) {
    const start = at;
    const key = readVarint(bytes, at);
    const field = message.fields.find(({ number }) => number === key.value >>> 3);
    at = key.next;
    let content = at;
    const wireType = key.value & 7;
    if (wireType === 0) at = readVarint(bytes, at).next;
    else if (wireType === 1) at += 8;
    else {
      const length = readVarint(bytes, at);
      content = length.next;
      at = content + length.value;
    }
    found.push({ field, start, content, end: at, outerEnd, top });
    const inner = field?.fieldKind === 'map' ? undefined : field?.message;
    if (inner !== undefined) found.push(...places(inner, bytes, content, at, false));
  }
  return found;
}

/** A way to break a message; undefined when this message offers no place for it. */
type Break = (message: DescMessage, bytes: Buffer, random: Random) => Buffer | undefined;

/** Each of these leaves something that is no message of its type, whatever the message was. */
export const breaks: Readonly<Record<string, Break>> = {
  'cut off within a field': (message, bytes, random) => {
    const cuttable = places(message, bytes).filter(({ top, start, end }) => top && end - start > 1);
    if (cuttable.length === 0) return undefined;
    const place = random.pick(cuttable);
    return bytes.subarray(0, place.start + 1 + random.below(place.end - place.start - 1));
  },
  'a length that reaches beyond the message around it': (message, bytes, random) => {
    const withLength = places(message, bytes).filter((place) => isDelimited(bytes, place));
    if (withLength.length === 0) return undefined;
    const place = random.pick(withLength);
    const length = place.outerEnd - place.content + 1 + random.below(random.pick([4, 1000, 2 ** 30]));
    const head = readVarint(bytes, place.start).next;
    return Buffer.concat([bytes.subarray(0, head), varint(length), bytes.subarray(place.content)]);
  },
  'text that is not UTF-8': (message, bytes, random) => {
    const texts = places(message, bytes).filter(
      ({ field, content, end }) => field !== undefined && scalarName(field) === 'string' && end - content >= 3,
    );
    if (texts.length === 0) return undefined;
    const place = random.pick(texts);
    const broken = Buffer.from(bytes);
    // Never a byte of UTF-8; a zero in two bytes; half a surrogate pair; a character that begins and does not go on.
    const wrong = random.pick([
      [0xff, 0x41, 0x41],
      [0xc0, 0x80, 0x41],
      [0xed, 0xa0, 0x80],
      [0x41, 0xe2, 0x82],
    ]);
    const rest = place.end - place.content - 3;
    broken.set(wrong, place.content + rest);
    return broken;
  },
  'a tag without a number': (message, bytes, random) => insert(message, bytes, random, Buffer.from([0])),
  'a wire type that does not exist': (message, bytes, random) =>
    insert(message, bytes, random, tag(1 + random.below(40), 6 + random.below(2))),
  'the end of a group that never began': (message, bytes, random) =>
    insert(message, bytes, random, tag(1 + random.below(40), 4)),
  'groups in groups in groups': (message, bytes, random) => {
    const depth = 101 + random.below(5_000);
    const group = (wireType: number) => Buffer.concat(Array.from({ length: depth }, () => tag(1000, wireType)));
    return insert(message, bytes, random, Buffer.concat([group(3), group(4)]));
  },
  'a number that never ends': (message, bytes, random) =>
    insert(message, bytes, random, Buffer.alloc(11 + random.below(50), 0xff)),
};

function insert(message: DescMessage, bytes: Buffer, random: Random, wrong: Buffer): Buffer {
  const starts = places(message, bytes).flatMap(({ top, start }) => (top ? [start] : []));
  const at = random.pick([...starts, bytes.length]);
  return Buffer.concat([bytes.subarray(0, at), wrong, bytes.subarray(at)]);
}

function isDelimited(bytes: Buffer, { start }: Place): boolean {
  return (readVarint(bytes, start).value & 7) === 2;
}

export function delimited(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([tag(number, 2), varint(content.length), content]);
}

function tag(number: number, wireType: number): Buffer {
  return varint(number * 8 + wireType);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
}

function readVarint(bytes: Buffer, at: number): { value: number; next: number } {
  let value = 0;
  for (let i = 0; ; i++) {
    const byte = bytes[at + i] ?? 0;
    value += (byte & 127) * 128 ** i;
    if (byte < 128) return { value, next: at + i + 1 };
  }
}
