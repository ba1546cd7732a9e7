import { CustomObject, ObjectMeta } from '@navarch/proto';
import { decodeObject } from '../decode.ts';
import { type Json, type JsonObject, encodeObject } from '../encode.ts';
import type { FieldError } from '../errors.ts';
import type { PathStep } from '../field-path.ts';
import { isJsonObject } from '../patch/merge-patch.ts';
import { type FieldSchema, type MessageSchema, messageSchema, type OwnSchema } from '../schema.ts';
import { validateObject } from '../validate.ts';
import { completeValue, unknownFields } from './complete.ts';
import { messageOf } from './fields.ts';
import { readNode, type StructuralNode } from './node.ts';
import { type ValueCheck, valueCheck } from './value-check.ts';

/** Fields that every object has, whatever its schema says of them. */
const common = new Set(['apiVersion', 'kind', 'metadata']);

/** The schema of a custom kind, from the structural schema of one version, which structuralErrors has found right. */
export function customSchema({
  apiVersion,
  kind,
  schema,
}: {
  apiVersion: string;
  kind: string;
  schema: JsonObject;
}): MessageSchema {
  const root = readNode(schema);
  const shown = messageOf({ ...root, properties: withoutCommon(root) }, kind);
  const [metadata] = messageSchema(CustomObject.$type).fields;
  const fields: readonly FieldSchema[] = [...(metadata === undefined ? [] : [metadata]), ...shown.fields];
  return {
    typeName: `${apiVersion}/${kind}`,
    name: kind,
    comment: root.description,
    fields,
    byJsonName: new Map(fields.map((field) => [field.jsonName, field])),
    own: new CustomValues(root, schema, { apiVersion, kind }),
  };
}

class CustomValues implements OwnSchema {
  readonly #root: StructuralNode;
  readonly #schema: JsonObject;
  readonly #names: { readonly apiVersion: string; readonly kind: string };
  #check: ValueCheck | undefined;

  constructor(root: StructuralNode, schema: JsonObject, names: { apiVersion: string; kind: string }) {
    this.#root = { ...root, properties: withoutCommon(root) };
    this.#schema = schema;
    this.#names = names;
  }

  decode(json: unknown, at: readonly PathStep[]): { value: CustomObject; errors: FieldError[] } {
    const value: CustomObject = { ...CustomObject.fromJSON({}), ...this.#names };
    if (!isJsonObject(json as Json)) return { value, errors: [{ path: '', message: 'must be an object' }] };
    const { metadata, ...content } = json as JsonObject; // tested above
    const errors: FieldError[] = [];
    if (metadata !== undefined && metadata !== null) {
      const decoded = decodeObject<ObjectMeta>(messageSchema(ObjectMeta.$type), metadata, [...at, 'metadata']);
      value.metadata = decoded.value;
      errors.push(...decoded.errors);
    }
    for (const name of common) delete content[name];
    errors.push(...unknownFields(this.#root, content, at));
    fill(value, content);
    return { value, errors };
  }

  encode(value: object): JsonObject {
    const object = value as CustomObject; // the message of every custom kind
    const metadata = object.metadata && encodeObject(messageSchema(ObjectMeta.$type), object.metadata);
    return { ...(metadata && { metadata }), ...contentOf(object) };
  }

  complete(value: object): void {
    const object = value as CustomObject; // as above
    object.apiVersion = this.#names.apiVersion;
    object.kind = this.#names.kind;
    // An object for an object; what is not one is validation's to refuse.
    fill(object, completeValue(this.#root, contentOf(object)) as JsonObject);
  }

  errors(value: object): FieldError[] {
    const object = value as CustomObject; // as above
    const content = contentOf(object);
    const { name = '', generateName = '' } = object.metadata ?? {};
    // Compiled for the first object, so that a kind nobody writes costs nothing.
    this.#check ??= valueCheck(this.#schema);
    return [
      ...validateObject(messageSchema(CustomObject.$type), {
        ...object,
        spec: undefined,
        status: undefined,
        other: undefined,
      }),
      ...this.#check({ ...this.#names, ...content, metadata: { name, generateName } }),
    ];
  }
}

/** Everything but the type and metadata, as in a manifest. */
function contentOf({ spec, status, other }: CustomObject): JsonObject {
  const content: JsonObject = { ...other };
  if (spec !== undefined) content['spec'] = spec as Json; // that is what google.protobuf.Value holds
  if (status !== undefined) content['status'] = status as Json; // as above
  return content;
}

function fill(object: CustomObject, { spec, status, ...other }: JsonObject): void {
  object.spec = spec;
  object.status = status;
  object.other = Object.keys(other).length === 0 ? undefined : other;
}

function withoutCommon(root: StructuralNode): ReadonlyMap<string, StructuralNode> {
  return new Map([...root.properties].filter(([name]) => !common.has(name)));
}
