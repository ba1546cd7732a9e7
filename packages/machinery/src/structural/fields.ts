import type { Json } from '../encode.ts';
import type { FieldSchema, MessageSchema, ValueType } from '../schema.ts';
import { noRules } from '../schema-rules.ts';
import type { StructuralNode } from './node.ts';

/**
 * A structural schema in the form that the contract's messages have, for what only reads it: merging, ownership,
 * explanations, descriptions. Values of custom objects are plain JSON; a property has the field's own name.
 */
export function messageOf(node: StructuralNode, name: string): MessageSchema {
  const cached = messages.get(node);
  if (cached !== undefined) return cached;
  const fields = [...node.properties].map(([name, child]) => fieldOf(name, child, node.required.includes(name)));
  const message: MessageSchema = {
    typeName: name,
    name,
    comment: node.description,
    fields,
    byJsonName: new Map(fields.map((field) => [field.jsonName, field])),
  };
  messages.set(node, message);
  return message;
}

const messages = new WeakMap<StructuralNode, MessageSchema>();

function fieldOf(jsonName: string, node: StructuralNode, required: boolean): FieldSchema {
  const values = node.type === 'object' && node.properties.size === 0 ? node.values : undefined;
  const cardinality = node.type === 'array' ? 'list' : values !== undefined ? 'map' : 'one';
  const inner = cardinality === 'list' ? node.items : values === 'any' ? undefined : (values ?? node);
  const [onlyKey, ...otherKeys] = node.listType === 'map' ? node.listKeys : [];
  const isMessage = inner?.type === 'object' && inner.properties.size > 0;
  return {
    jsonName,
    property: jsonName,
    cardinality,
    type: isMessage ? 'message' : scalarType(inner),
    get message() {
      return isMessage ? messageOf(inner, 'Object') : undefined;
    },
    presence: cardinality === 'one',
    comment: node.description,
    rules: {
      ...noRules,
      default: node.default === undefined ? undefined : scalarOrText(node.default),
      required,
      mergeKey: otherKeys.length === 0 ? onlyKey : undefined,
      listKeys: node.listType === 'map' ? node.listKeys : [],
      set: node.listType === 'set',
      atomic: node.atomicMap,
      allowed: node.enum.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
      format: node.intOrString ? 'COUNT_OR_PERCENT' : undefined,
      min: node.minimum,
      max: node.maximum,
    },
  };
}

function scalarType(node: StructuralNode | undefined): ValueType {
  switch (node?.type) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return 'double';
    case 'integer':
      return node.format === 'int64' ? 'int64' : 'int32';
    default:
      return 'value';
  }
}

function scalarOrText(value: Json): string | number | boolean {
  return typeof value === 'object' ? JSON.stringify(value) : value;
}
