import type { FieldSchema, MessageSchema } from '../schema.ts';
import { JsonBuffer } from './json-buffer.ts';
import { writeStructFields, writeValue } from './value-json.ts';
import { WireReader } from './wire.ts';

/** How one field is written, worked out once. */
interface FieldPlan {
  /** Among the fields of its message. */
  readonly index: number;
  readonly field: FieldSchema;
  /** `"name":` */
  readonly name: Buffer;
  /** The plan of its message, once asked for. */
  message: MessagePlan | undefined;
}

/** How a message is written. */
interface MessagePlan {
  readonly typeName: string;
  /** By number. */
  readonly fields: readonly (FieldPlan | undefined)[];
}

const plans = new Map<string, MessagePlan>();
const structType = 'google.protobuf.Struct';
const [comma, colon, openObject, closeObject, openList, closeList] = Buffer.from(',:{}[]', 'latin1') as unknown as [
  number,
  number,
  number,
  number,
  number,
  number,
];

/**
 * Writes the manifest form of the message that `source` holds from `start` to `end`, as encodeObject has it, without making
 * the message: its texts are copied as they are. For messages as ts-proto encodes them, each field in one piece; RangeError for
 * others, which protobuf allows, and the buffer is then as it was.
 */
export function writeMessage(
  out: JsonBuffer,
  schema: MessageSchema,
  source: Uint8Array,
  start = 0,
  end = source.length,
): void {
  const before = out.length;
  try {
    out.byte(openObject);
    writeFields(out, planOf(schema), new WireReader(source, start), end);
    out.byte(closeObject);
  } catch (error) {
    out.cut(before);
    throw error;
  }
}

/** The fields of a message alone, to put others beside them; true when there were any. As writeMessage otherwise. */
export function writeMessageFields(
  out: JsonBuffer,
  schema: MessageSchema,
  source: Uint8Array,
  start = 0,
  end = source.length,
): boolean {
  return writeFields(out, planOf(schema), new WireReader(source, start), end);
}

function planOf(schema: MessageSchema): MessagePlan {
  const known = plans.get(schema.typeName);
  if (known !== undefined) return known;
  const fields: (FieldPlan | undefined)[] = [];
  for (const [index, field] of schema.fields.entries()) {
    const { number } = field;
    if (number === undefined) throw new RangeError(`${schema.typeName} is not written in proto`);
    fields[number] = { index, field, name: Buffer.from(`${JSON.stringify(field.jsonName)}:`), message: undefined };
  }
  const plan = { typeName: schema.typeName, fields };
  plans.set(schema.typeName, plan);
  return plan;
}

/** Writes `"a":1,"b":2`; false for nothing. */
function writeFields(out: JsonBuffer, plan: MessagePlan, from: WireReader, end: number): boolean {
  // Which fields came already, a bit each.
  let [seen, seenAbove] = [0, 0];
  let any = false;
  while (from.at < end) {
    const tag = from.varint();
    const field = plan.fields[tag >>> 3];
    if (field === undefined) {
      from.skip(tag & 7);
      continue;
    }
    const { index } = field;
    const bit = 1 << index; // modulo 32
    if (((index < 32 ? seen : seenAbove) & bit) !== 0 || index >= 64) {
      throw new RangeError(`${plan.typeName} has a field in two pieces`);
    }
    if (index < 32) seen |= bit;
    else seenAbove |= bit;
    if (any) out.byte(comma);
    if (writeField(out, field, from, tag, end)) any = true;
    else if (any) out.back();
  }
  if (from.at !== end) throw new RangeError(`${plan.typeName} is cut off`);
  return any;
}

function writeField(out: JsonBuffer, plan: FieldPlan, from: WireReader, tag: number, end: number): boolean {
  const { field } = plan;
  if (field.cardinality === 'list') return writeList(out, plan, from, tag, end);
  if (field.cardinality === 'map') return writeMap(out, plan, from, tag, end);
  const before = out.length;
  out.raw(plan.name);
  // What is empty is left out; an encoder may have written it nevertheless.
  if (writeOne(out, plan, from) || field.presence) return true;
  out.cut(before);
  return false;
}

function writeList(out: JsonBuffer, plan: FieldPlan, from: WireReader, tag: number, end: number): boolean {
  out.raw(plan.name);
  out.byte(openList);
  const isPacked = (tag & 7) === 2 && packable.has(plan.field.type);
  if (isPacked) {
    const packedEnd = from.end();
    while (from.at < packedEnd) {
      writeOne(out, plan, from);
      out.byte(comma);
    }
    out.back();
  } else {
    for (;;) {
      writeOne(out, plan, from);
      if (!again(from, tag, end)) break;
      out.byte(comma);
    }
  }
  out.byte(closeList);
  return true;
}

const packable: ReadonlySet<string> = new Set(['int32', 'int64', 'bool', 'double']);

function writeMap(out: JsonBuffer, plan: FieldPlan, from: WireReader, tag: number, end: number): boolean {
  out.raw(plan.name);
  out.byte(openObject);
  for (;;) {
    writeEntry(out, plan, from);
    if (!again(from, tag, end)) break;
    out.byte(comma);
  }
  out.byte(closeObject);
  return true;
}

/** Reads the tag that follows, if it is the same one. */
function again(from: WireReader, tag: number, end: number): boolean {
  if (from.at >= end) return false;
  const before = from.at;
  if (from.varint() === tag) return true;
  from.at = before;
  return false;
}

/** An entry of a map is a message with the key as field 1 and the value as field 2, each of which may be left out when empty. */
function writeEntry(out: JsonBuffer, plan: FieldPlan, from: WireReader): void {
  const end = from.end();
  let hasKey = false;
  let hasValue = false;
  while (from.at < end) {
    const tag = from.varint();
    if (tag === keyTag && !hasValue) {
      const keyEnd = from.end();
      out.string(from.bytes, from.at, keyEnd);
      from.at = keyEnd;
      hasKey = true;
    } else if (tag >>> 3 === 2) {
      if (!hasKey) out.ascii('""');
      out.byte(colon);
      writeOne(out, plan, from);
      hasKey = hasValue = true;
    } else throw new RangeError('an entry of a map is out of order');
  }
  if (!hasKey) out.ascii('""');
  if (!hasValue) out.ascii(emptyValue(plan.field));
}

const keyTag = 1 * 8 + 2;

function emptyValue({ type }: FieldSchema): string {
  if (type === 'string' || type === 'bytes') return ':""';
  if (type === 'message') return ':{}';
  if (type === 'bool') return ':false';
  return type === 'value' ? ':null' : ':0';
}

/** Writes one value, whose tag has been read; false when it is its type's zero. */
function writeOne(out: JsonBuffer, plan: FieldPlan, from: WireReader): boolean {
  const { field } = plan;
  switch (field.type) {
    case 'string': {
      const end = from.end();
      const some = end > from.at;
      out.string(from.bytes, from.at, end);
      from.at = end;
      return some;
    }
    case 'message': {
      const end = from.end();
      plan.message ??= planOf(field.message as MessageSchema); // messages have one
      out.byte(openObject);
      if (plan.message.typeName === structType) writeStructFields(out, from, end);
      else writeFields(out, plan.message, from, end);
      out.byte(closeObject);
      return true;
    }
    case 'bool': {
      const value = from.varint() !== 0;
      out.ascii(value ? 'true' : 'false');
      return value;
    }
    case 'int32': {
      const value = from.varint() | 0;
      out.ascii(String(value));
      return value !== 0;
    }
    case 'int64': {
      const low = from.varint();
      const { high } = from;
      out.ascii(high === 0 ? String(low) : BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low)).toString());
      return low !== 0 || high !== 0;
    }
    case 'double': {
      const value = from.double();
      out.ascii(JSON.stringify(value));
      return value !== 0;
    }
    case 'bytes': {
      const end = from.end();
      const some = end > from.at;
      out.ascii(`"${Buffer.from(from.bytes.subarray(from.at, end)).toString('base64')}"`);
      from.at = end;
      return some;
    }
    case 'value':
      writeValue(out, from, from.end());
      return true;
    default:
      return field.type satisfies never;
  }
}
