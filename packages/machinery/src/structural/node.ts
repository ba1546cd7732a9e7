import type { Json, JsonObject } from '../encode.ts';
import { isJsonObject } from '../patch/merge-patch.ts';

export type NodeType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';

/**
 * One place of a structural schema: what Kubernetes calls the subset of OpenAPI v3 in which every field has one type and
 * is named outside of allOf, anyOf, oneOf and not. Source:
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export interface StructuralNode {
  /** Undefined where anything may stand: with intOrString, or preserveUnknown. */
  readonly type: NodeType | undefined;
  readonly description: string;
  readonly nullable: boolean;
  readonly default: Json | undefined;
  readonly properties: ReadonlyMap<string, StructuralNode>;
  readonly required: readonly string[];
  /** Of the values of a map; 'any' where they may be anything. */
  readonly values: StructuralNode | 'any' | undefined;
  readonly items: StructuralNode | undefined;
  readonly intOrString: boolean;
  readonly preserveUnknown: boolean;
  /** The value is an object of some kind, with apiVersion, kind and metadata. */
  readonly embedded: boolean;
  readonly listType: 'atomic' | 'set' | 'map' | undefined;
  readonly listKeys: readonly string[];
  readonly atomicMap: boolean;
  readonly enum: readonly Json[];
  readonly format: string;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
}

/** Reads what the checks of a structural schema have found right. */
export function readNode(json: JsonObject): StructuralNode {
  const { properties, additionalProperties, items, required, default: preset } = json;
  const text = (key: string) => (typeof json[key] === 'string' ? json[key] : '');
  const number = (key: string) => (typeof json[key] === 'number' ? json[key] : undefined);
  const texts = (value: Json | undefined) => (Array.isArray(value) ? value.map(String) : []);
  const listType = text('x-kubernetes-list-type');
  return {
    type: text('type') === '' ? undefined : (text('type') as NodeType), // checked
    description: text('description').trim().replaceAll(/\s+/g, ' '),
    nullable: json['nullable'] === true,
    default: preset,
    properties: new Map(
      Object.entries(isJsonObject(properties) ? properties : {}).map(([name, value]) => [
        name,
        readNode(isJsonObject(value) ? value : {}),
      ]),
    ),
    required: texts(required),
    values: isJsonObject(additionalProperties)
      ? readNode(additionalProperties)
      : additionalProperties === true
        ? 'any'
        : undefined,
    items: isJsonObject(items) ? readNode(items) : undefined,
    intOrString: json['x-kubernetes-int-or-string'] === true,
    preserveUnknown: json['x-kubernetes-preserve-unknown-fields'] === true,
    embedded: json['x-kubernetes-embedded-resource'] === true,
    listType: listType === '' ? undefined : (listType as StructuralNode['listType']), // checked
    listKeys: texts(json['x-kubernetes-list-map-keys']),
    atomicMap: json['x-kubernetes-map-type'] === 'atomic',
    enum: Array.isArray(json['enum']) ? json['enum'] : [],
    format: text('format'),
    minimum: number('minimum'),
    maximum: number('maximum'),
  };
}

/** What the schema says of a field of an object: 'any' for one that it leaves open, undefined for one that it lacks. */
export function childOf(node: StructuralNode, name: string): StructuralNode | 'any' | undefined {
  const child = node.properties.get(name) ?? node.values;
  if (child !== undefined) return child;
  if (node.embedded && (name === 'apiVersion' || name === 'kind' || name === 'metadata')) return 'any';
  return node.preserveUnknown ? 'any' : undefined;
}
