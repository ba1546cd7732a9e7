import type { DescField, DescMessage, FileRegistry } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import type { JsonObject } from './encode.ts';
import { ApiError, type FieldError } from './errors.ts';
import type { PathStep } from './field-path.ts';
import { commentOf } from './schema-comments.ts';
import { loadRegistry } from './schema-registry.ts';
import { type FieldRules, readRules } from './schema-rules.ts';

/** What a value can be. 'value' is google.protobuf.Value: any JSON, and in manifests mostly int-or-string. */
export type ValueType = 'string' | 'bool' | 'int32' | 'int64' | 'double' | 'bytes' | 'value' | 'message';

/** One field, as manifests and generated types know it. */
export interface FieldSchema {
  /** As in a manifest: 'podIP'. */
  readonly jsonName: string;
  /** As in the generated type: 'podIp'. */
  readonly property: string;
  /** In encoded messages; none where the message is not written in proto. */
  readonly number?: number;
  readonly cardinality: 'one' | 'list' | 'map';
  /** Of the value, of each item, or of each value of a map. Keys of maps are strings. */
  readonly type: ValueType;
  /** Of a message. Read it lazily: messages may hold one another. */
  readonly message: MessageSchema | undefined;
  /** Whether absent (undefined) differs from the zero value. Always so for messages and 'value'. */
  readonly presence: boolean;
  /** The comment in the proto file, as one paragraph. */
  readonly comment: string;
  readonly rules: FieldRules;
}

/** A message of the contract with all that proto files say about it. */
export interface MessageSchema {
  /** 'navarch.core.v1.Pod'. */
  readonly typeName: string;
  /** 'Pod'. */
  readonly name: string;
  readonly comment: string;
  /** In the order of the proto file. */
  readonly fields: readonly FieldSchema[];
  readonly byJsonName: ReadonlyMap<string, FieldSchema>;
  /** How its values are read, written, completed and checked, where that does not follow from `fields`: a custom kind. */
  readonly own?: OwnSchema;
}

/** What a schema that is not the contract's does itself. `value`s are messages of the generated type. */
export interface OwnSchema {
  /** Strictly, as decodeObject. */
  decode(json: unknown, at: readonly PathStep[]): { value: object; errors: FieldError[] };
  encode(value: object): JsonObject;
  /** Changes `value`. */
  complete(value: object): void;
  errors(value: object): FieldError[];
}

const schemas = new Map<string, MessageSchema>();

/** The schema of a message by its full name; made when first asked for. Throws InternalError when there is none. */
export function messageSchema(typeName: string): MessageSchema {
  const cached = schemas.get(typeName);
  if (cached !== undefined) return cached;
  const registry = loadRegistry();
  const descriptor = registry.getMessage(typeName);
  if (descriptor === undefined) throw new ApiError('InternalError', `the contract has no message ${typeName}`);
  const schema = describeMessage(registry, descriptor);
  schemas.set(typeName, schema);
  return schema;
}

function describeMessage(registry: FileRegistry, descriptor: DescMessage): MessageSchema {
  const fields = descriptor.fields.map((field) => describeField(registry, field));
  return {
    typeName: descriptor.typeName,
    name: descriptor.name,
    comment: commentOf(descriptor),
    fields,
    byJsonName: new Map(fields.map((field) => [field.jsonName, field])),
  };
}

function describeField(registry: FileRegistry, field: DescField): FieldSchema {
  const { type, message } = valueType(field);
  const cardinality = field.fieldKind === 'list' ? 'list' : field.fieldKind === 'map' ? 'map' : 'one';
  return {
    jsonName: field.jsonName,
    property: generatedName(field.name),
    number: field.number,
    cardinality,
    type,
    get message() {
      return message === undefined ? undefined : messageSchema(message.typeName);
    },
    presence: cardinality === 'one' && (type === 'message' || type === 'value' || field.proto.proto3Optional),
    comment: commentOf(field),
    rules: readRules(registry, field),
  };
}

function valueType(field: DescField): { type: ValueType; message?: DescMessage } {
  if (field.message !== undefined) {
    return field.message.typeName === 'google.protobuf.Value'
      ? { type: 'value' }
      : { type: 'message', message: field.message };
  }
  if (field.scalar === undefined) return { type: 'int32' }; // an enum; no kind has one
  const type = typeByScalar[field.scalar];
  if (type === undefined) {
    throw new ApiError('InternalError', `${field.parent.typeName}.${field.name} has a type that manifests lack`);
  }
  return { type };
}

const typeByScalar: Partial<Record<ScalarType, ValueType>> = {
  [ScalarType.STRING]: 'string',
  [ScalarType.BOOL]: 'bool',
  [ScalarType.INT32]: 'int32',
  [ScalarType.UINT32]: 'int32',
  [ScalarType.INT64]: 'int64',
  [ScalarType.UINT64]: 'int64',
  [ScalarType.DOUBLE]: 'double',
  [ScalarType.BYTES]: 'bytes',
};

/** How ts-proto names the property of a proto field: pod_ip is podIp, whatever json_name says. */
function generatedName(name: string): string {
  return name.replaceAll(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
