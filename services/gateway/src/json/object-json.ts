import { type KindDefinition, liveObject, manifest } from '@navarch/kinds';
import {
  JsonBuffer,
  messageSchema,
  WireReader,
  writeMessageFields,
  writeStructFields,
  writeValue,
} from '@navarch/machinery';
import { ObjectMeta, Resource } from '@navarch/proto';

/** How objects are written. */
export interface ObjectForm {
  /** The kind that a reader asked for: of a custom kind there may be several versions. */
  readonly kind: KindDefinition;
  /** Its metadata alone, as PartialObjectMetadata; then the bytes must be those of FORM_METADATA. */
  readonly metadataOnly: boolean;
  /** apiVersion and kind stand in each; items of a list of a built-in kind lack them, as in Kubernetes. */
  readonly typed: boolean;
}

/** Fields of navarch.api.v1.Resource. */
const revisionTag = 1 * 8;
const partialField = 32;
const customField = 31;
/** Field 1 of every kind's message is its metadata. */
const metadataTag = 1 * 8 + 2;
const comma = 0x2c;

const metadataSchema = messageSchema(ObjectMeta.$type);
const partialHead = Buffer.from('{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1"');
const heads = new WeakMap<KindDefinition, Buffer>();

/**
 * Writes an encoded Resource as Kubernetes' JSON, and returns its revision. Texts are copied from the bytes as they are; only an
 * object that was encoded in an unusual way is decoded on the way.
 */
export function writeObject(
  out: JsonBuffer,
  form: ObjectForm,
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): string {
  const before = out.length;
  try {
    return writeQuickly(out, form, bytes, start, end);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    out.cut(before);
    return writeDecoded(out, form, bytes.subarray(start, end));
  }
}

function writeQuickly(out: JsonBuffer, form: ObjectForm, bytes: Uint8Array, start: number, end: number): string {
  const from = new WireReader(bytes, start);
  let tag = from.varint();
  let revision = '0';
  if (tag === revisionTag) {
    const low = from.varint();
    revision = String(from.high * 2 ** 32 + low);
    tag = from.varint();
  }
  const objectEnd = from.end();
  if (objectEnd !== end) throw new RangeError('a resource holds more than one object');
  const field = tag >>> 3;
  const isPartial = field === partialField;
  if (isPartial) out.raw(partialHead);
  else if (form.typed || field === customField) out.raw(headOf(form.kind));
  else out.ascii('{');
  const begin = isPartial || form.typed || field === customField;
  if (begin) out.byte(comma);
  out.ascii('"metadata":{');
  if (revision !== '0') out.ascii(`"resourceVersion":"${revision}"`);
  if (from.at < objectEnd && bytes[from.at] === metadataTag) {
    from.at++;
    const metadataEnd = from.end();
    const length = out.length;
    if (revision !== '0') out.byte(comma);
    if (!writeMessageFields(out, metadataSchema, bytes, from.at, metadataEnd)) out.cut(length);
    from.at = metadataEnd;
  }
  out.ascii('}');
  if (!isPartial) writeContent(out, form.kind, field, from, objectEnd);
  out.ascii('}');
  return revision;
}

function writeContent(out: JsonBuffer, kind: KindDefinition, field: number, from: WireReader, end: number): void {
  if (field === customField) {
    writeCustom(out, from, end);
    return;
  }
  const before = out.length;
  out.byte(comma);
  if (!writeMessageFields(out, kind.schema, from.bytes, from.at, end)) out.cut(before);
}

/** The rest of a CustomObject: apiVersion and kind, which stand there already, spec, status and every other field. */
function writeCustom(out: JsonBuffer, from: WireReader, end: number): void {
  while (from.at < end) {
    const tag = from.varint();
    const fieldEnd = from.end();
    const before = out.length;
    switch (tag >>> 3) {
      case 4:
        out.ascii(',"spec":');
        writeValue(out, from, fieldEnd);
        break;
      case 5:
        out.ascii(',"status":');
        writeValue(out, from, fieldEnd);
        break;
      case 6:
        out.byte(comma);
        if (!writeStructFields(out, from, fieldEnd)) out.cut(before);
        break;
      default:
    }
    from.at = fieldEnd;
  }
}

function headOf(kind: KindDefinition): Buffer {
  let head = heads.get(kind);
  if (head === undefined) {
    const text = JSON.stringify({ kind: kind.kind, apiVersion: kind.apiVersion });
    head = Buffer.from(text.slice(0, -1));
    heads.set(kind, head);
  }
  return head;
}

function writeDecoded(out: JsonBuffer, { kind, metadataOnly, typed }: ObjectForm, bytes: Uint8Array): string {
  const resource = Resource.decode(bytes);
  const object = liveObject(resource);
  const { apiVersion, kind: name, ...content } = manifest(kind, object);
  const head = metadataOnly
    ? { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' }
    : typed
      ? { kind: name, apiVersion }
      : {};
  out.text(JSON.stringify({ ...head, ...(metadataOnly ? { metadata: content['metadata'] ?? {} } : content) }));
  return String(resource.revision);
}

/** An encoded Resource as JSON text in memory of its own. */
export function objectJson(form: ObjectForm, bytes: Uint8Array): Buffer {
  writeObject(scratch, form, bytes);
  return scratch.take();
}

const scratch = new JsonBuffer(64 * 1024);
