import type { JsonBuffer } from './json-buffer.ts';
import type { WireReader } from './wire.ts';

/** Fields of google.protobuf.Value, Struct and ListValue, with their wire types. Source: google/protobuf/struct.proto */
const valueTags = {
  null: 1 * 8,
  number: 2 * 8 + 1,
  string: 3 * 8 + 2,
  bool: 4 * 8,
  struct: 5 * 8 + 2,
  list: 6 * 8 + 2,
} as const;
const firstTag = 1 * 8 + 2;
const entryValueTag = 2 * 8 + 2;
const comma = 0x2c;
const colon = 0x3a;

/** Writes an encoded google.protobuf.Value as the JSON that it stands for. Nothing is null. */
export function writeValue(out: JsonBuffer, from: WireReader, end: number): void {
  if (from.at >= end) {
    out.ascii('null');
    return;
  }
  const tag = from.varint();
  switch (tag) {
    case valueTags.null:
      from.varint();
      out.ascii('null');
      break;
    case valueTags.number:
      out.ascii(JSON.stringify(from.double()));
      break;
    case valueTags.string: {
      const textEnd = from.end();
      out.string(from.bytes, from.at, textEnd);
      from.at = textEnd;
      break;
    }
    case valueTags.bool:
      out.ascii(from.varint() === 0 ? 'false' : 'true');
      break;
    case valueTags.struct: {
      const structEnd = from.end();
      out.ascii('{');
      writeStructFields(out, from, structEnd);
      out.ascii('}');
      break;
    }
    case valueTags.list:
      writeListValue(out, from, from.end());
      break;
    default:
      throw new RangeError('a google.protobuf.Value holds what is no value');
  }
  if (from.at !== end) throw new RangeError('a google.protobuf.Value holds more than one value');
}

/** The fields of an encoded google.protobuf.Struct: `"a":1,"b":2`; false for none. */
export function writeStructFields(out: JsonBuffer, from: WireReader, end: number): boolean {
  let any = false;
  while (from.at < end) {
    if (from.varint() !== firstTag) throw new RangeError('a google.protobuf.Struct holds what is no field');
    if (any) out.byte(comma);
    any = true;
    const entryEnd = from.end();
    if (from.at < entryEnd && from.bytes[from.at] === firstTag) {
      from.at++;
      const keyEnd = from.end();
      out.string(from.bytes, from.at, keyEnd);
      from.at = keyEnd;
    } else out.ascii('""');
    out.byte(colon);
    if (from.at >= entryEnd) out.ascii('null');
    else if (from.varint() === entryValueTag) writeValue(out, from, from.end());
    else throw new RangeError('a field of a google.protobuf.Struct is out of order');
    if (from.at !== entryEnd) throw new RangeError('a field of a google.protobuf.Struct holds more than a value');
  }
  return any;
}

function writeListValue(out: JsonBuffer, from: WireReader, end: number): void {
  out.ascii('[');
  let any = false;
  while (from.at < end) {
    if (from.varint() !== firstTag) throw new RangeError('a google.protobuf.ListValue holds what is no value');
    if (any) out.byte(comma);
    any = true;
    writeValue(out, from, from.end());
  }
  out.ascii(']');
}
