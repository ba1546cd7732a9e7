import { type MessageSchema, WireReader } from '@navarch/machinery';
import { badRequest, unsupportedMediaType } from '../http/status.ts';
import { kubernetesMessages } from './kubernetes-messages.ts';
import { ownForm } from './own-forms.ts';

type Fields = Record<string, unknown>;

interface Field {
  readonly name: string;
  readonly type: string;
  readonly cardinality: 'one' | 'list' | 'map';
}

/** What an object is called, however it was sent. */
export interface Typed {
  readonly apiVersion: string;
  readonly kind: string;
}

const magic = Buffer.from('k8s\0', 'latin1');
/** Fields of a Go struct that is embedded stand among those of the struct around it. */
const embedded = new Set([
  'localObjectReference',
  'volumeSource',
  'persistentVolumeSource',
  'handler',
  'ephemeralContainerCommon',
]);

/**
 * The manifest in a body of application/vnd.kubernetes.protobuf. Go encodes what is empty, too, unless it is a pointer: of that,
 * what `schema` does not know is left out, and so is what means nothing there. Throws 415 for kinds whose encoding is not known,
 * 400 for what can't be read. Source of the envelope: k8s.io/apimachinery/pkg/runtime, Unknown.
 */
export function readKubernetes(body: Buffer, schema: MessageSchema | undefined, expected: Typed): Fields {
  if (!body.subarray(0, magic.length).equals(magic)) throw unreadable();
  try {
    const envelope = readEnvelope(body);
    const { apiVersion, kind } = expected;
    const typed = { apiVersion, kind, ...envelope.typed };
    const type = messageOf(typed);
    if (!Object.hasOwn(kubernetesMessages, type)) throw unsupportedMediaType('application/json, application/yaml');
    const [start, end] = envelope.raw;
    return { ...typed, ...readMessage(type, schema, body, start, end) };
  } catch (error) {
    if (error instanceof RangeError) throw unreadable();
    throw error;
  }
}

/** Fields of Unknown: typeMeta is 1, raw, which holds the object, is 2. */
function readEnvelope(body: Buffer): { typed: Partial<Typed>; raw: readonly [start: number, end: number] } {
  const from = new WireReader(body, magic.length);
  let typed: Partial<Typed> = {};
  let raw: readonly [number, number] = [body.length, body.length];
  while (from.at < body.length) {
    const tag = from.varint();
    if (tag !== 1 * 8 + 2 && tag !== 2 * 8 + 2) {
      from.skip(tag & 7);
      continue;
    }
    const end = from.end();
    if (tag === 2 * 8 + 2) raw = [from.at, end];
    else typed = readMessage('runtime.TypeMeta', undefined, body, from.at, end);
    from.at = end;
  }
  return { typed, raw };
}

function unreadable() {
  return badRequest('the body of the request is not what application/vnd.kubernetes.protobuf says it is');
}

/** rbac.authorization.k8s.io/v1 Role is rbac.v1.Role. */
function messageOf({ apiVersion, kind }: Typed): string {
  if (kind === 'DeleteOptions') return 'meta.v1.DeleteOptions';
  const slash = apiVersion.lastIndexOf('/');
  const group = slash < 0 ? 'core' : apiVersion.slice(0, slash).split('.', 1)[0];
  return `${group}.${apiVersion.slice(slash + 1)}.${kind}`;
}

const tables = new Map<string, ReadonlyMap<number, Field>>();

function fieldsOf(type: string): ReadonlyMap<number, Field> {
  let table = tables.get(type);
  if (table === undefined) {
    const entries = (kubernetesMessages[type] ?? '').split(';').filter(Boolean);
    table = new Map(
      entries.map((entry) => {
        const [number = '', name = '', mark = ''] = entry.split(' ');
        const cardinality = mark.startsWith('*') ? 'list' : mark.startsWith('%') ? 'map' : 'one';
        return [Number(number), { name, cardinality, type: mark.replace(/^[*%]/, '') } as const];
      }),
    );
    tables.set(type, table);
  }
  return table;
}

function readMessage(
  type: string,
  schema: MessageSchema | undefined,
  bytes: Buffer,
  start: number,
  end: number,
): Fields {
  const fields = fieldsOf(type);
  const from = new WireReader(bytes, start);
  const value: Fields = {};
  while (from.at < end) {
    const tag = from.varint();
    const field = fields.get(tag >>> 3);
    if (field === undefined) {
      from.skip(tag & 7);
      continue;
    }
    const isEmbedded = embedded.has(field.name);
    const below = isEmbedded ? schema : schema?.byJsonName.get(field.name)?.message;
    if (field.cardinality === 'map') {
      const [key, item] = readEntry(field, below, from);
      value[field.name] = { ...(value[field.name] as Fields | undefined), [key]: item };
      continue;
    }
    const item = readOne(field, below, from, tag & 7);
    if (field.cardinality === 'list') {
      value[field.name] = [...((value[field.name] as unknown[] | undefined) ?? []), item];
    } else if (isEmbedded) Object.assign(value, item);
    else if (!isNothing(item, field, schema)) value[field.name] = item;
  }
  if (from.at !== end) throw new RangeError('a message is cut off');
  return value;
}

/** Whether a value is what Go writes where nothing was set. */
function isNothing(value: unknown, { name }: Field, schema: MessageSchema | undefined): boolean {
  if (value === undefined) return true;
  const known = schema?.byJsonName.get(name);
  // Of texts that are pointers in Go, only this one's emptiness means something: a claim that wants no class.
  if (value === '') return name !== 'storageClassName';
  if (value === 0 || value === false) return known?.presence !== true || (known.rules.min ?? 0) > 0;
  const isEmpty =
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
  return isEmpty && schema !== undefined && known === undefined;
}

function readEntry({ type }: Field, schema: MessageSchema | undefined, from: WireReader): [string, unknown] {
  const end = from.end();
  let key = '';
  let value: unknown = type === 's' ? '' : {};
  while (from.at < end) {
    const tag = from.varint();
    if (tag >>> 3 === 1) key = readText(from);
    else if (tag >>> 3 === 2) value = readOne({ name: '', type, cardinality: 'one' }, schema, from, tag & 7) ?? value;
    else from.skip(tag & 7);
  }
  return [key, value];
}

function readOne({ type }: Field, schema: MessageSchema | undefined, from: WireReader, wireType: number): unknown {
  const expected = type === 'i' || type === 'b' ? 0 : type === 'd' ? 1 : 2;
  if (wireType !== expected) throw new RangeError('a field has the wrong wire type');
  switch (type) {
    case 's':
      return readText(from);
    case 'b':
      return from.varint() !== 0;
    case 'i': {
      const low = from.varint();
      return Number(BigInt.asIntN(64, (BigInt(from.high >>> 0) << 32n) | BigInt(low)));
    }
    case 'd':
      return from.double();
    case 'y': {
      const end = from.end();
      const base64 = (from.bytes as Buffer).toString('base64', from.at, end);
      from.at = end;
      return base64;
    }
    default: {
      const end = from.end();
      const message = readMessage(type, schema, from.bytes as Buffer, from.at, end);
      from.at = end;
      return ownForm(type, message);
    }
  }
}

function readText(from: WireReader): string {
  const end = from.end();
  const text = (from.bytes as Buffer).toString('utf8', from.at, end);
  from.at = end;
  return text;
}
