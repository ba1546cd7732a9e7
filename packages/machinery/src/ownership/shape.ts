import type { Json, JsonObject } from '../encode.ts';
import { isJsonObject } from '../patch/merge-patch.ts';
import type { FieldSchema, MessageSchema, ValueType } from '../schema.ts';

/**
 * How a value is owned: as one thing, or by its parts. Lists by key and sets are what Kubernetes calls the list types map
 * and set; everything else that is a list is one thing. `absentIsZero` marks numbers and flags that stand in no manifest when
 * they are 0 or false, so that who makes them so has set them rather than removed them.
 */
export type Shape =
  | { readonly type: 'whole'; readonly absentIsZero?: true }
  | { readonly type: 'fields'; field(name: string): Shape }
  | { readonly type: 'map'; readonly item: Shape }
  | { readonly type: 'list'; readonly keys: readonly ListKey[]; readonly item: Shape }
  | { readonly type: 'set' };

/** A field that tells the items of a list apart, and what it is where an item does not say. */
export interface ListKey {
  readonly name: string;
  readonly default?: Json | undefined;
}

export const whole: Shape = { type: 'whole' };
const numberOrFlag: Shape = { type: 'whole', absentIsZero: true };
/** Anything, as far as it is objects in objects. */
const anything: Shape = {
  type: 'map',
  get item() {
    return anything;
  },
};
const typesWithZero: ReadonlySet<ValueType> = new Set(['bool', 'int32', 'int64', 'double']);

const shapes = new WeakMap<MessageSchema, Shape>();

/** The shape of a message, from its options: atomic, merge_key, list_keys, set. */
export function shapeOf(schema: MessageSchema): Shape {
  const known = shapes.get(schema);
  if (known !== undefined) return known;
  const fields = new Map<string, Shape>();
  const shape: Shape = {
    type: 'fields',
    field: (name) => {
      const known = fields.get(name);
      if (known !== undefined) return known;
      const field = schema.byJsonName.get(name);
      if (field === undefined) return whole;
      const made = shapeOfField(field);
      fields.set(name, made);
      return made;
    },
  };
  shapes.set(schema, shape);
  return shape;
}

function shapeOfField({ cardinality, message, rules, presence, type }: FieldSchema): Shape {
  if (rules.atomic) return whole;
  const isAnything = type === 'value' && rules.format === undefined;
  const value = message !== undefined ? shapeOf(message) : isAnything ? anything : whole;
  switch (cardinality) {
    case 'one':
      return !presence && typesWithZero.has(type) ? numberOrFlag : value;
    case 'map':
      return { type: 'map', item: value };
    default:
      if (rules.set) return { type: 'set' };
      if (message === undefined || rules.listKeys.length === 0) return whole;
      return {
        type: 'list',
        keys: rules.listKeys.map((name) => ({ name, default: message.byJsonName.get(name)?.rules.default })),
        item: value,
      };
  }
}

/** A part of a value. */
export interface Part {
  readonly shape: Shape;
  readonly value: Json;
}

/**
 * The parts of a value by their path elements, in order. Undefined for what is owned as one thing: also a value that is not
 * what its shape says, and a list with two items of the same key, or one without.
 */
export function partsOf(shape: Shape, value: Json): Map<string, Part> | undefined {
  switch (shape.type) {
    case 'whole':
      return undefined;
    case 'fields':
      return isJsonObject(value) ? fieldsIn(value, (name) => shape.field(name)) : undefined;
    case 'map':
      return isJsonObject(value) ? fieldsIn(value, () => shape.item) : undefined;
    case 'list':
      return Array.isArray(value) ? itemsIn(shape, value) : undefined;
    default:
      if (!Array.isArray(value)) return undefined;
      return new Map(value.map((item) => [`v:${JSON.stringify(item)}`, { shape: whole, value: item }]));
  }
}

/** The value that consists of these parts. */
export function valueOf(shape: Shape, parts: ReadonlyMap<string, Part>): Json {
  if (hasItems(shape)) return [...parts.values()].map(({ value }) => value);
  return Object.fromEntries([...parts].map(([element, { value }]) => [element.slice(2), value]));
}

/** Whether its parts are items of a list, which are there or not besides what is in them. */
export function hasItems({ type }: Shape): boolean {
  return type === 'list' || type === 'set';
}

function fieldsIn(value: JsonObject, shapeOf: (name: string) => Shape): Map<string, Part> {
  const parts = new Map<string, Part>();
  for (const [name, item] of Object.entries(value)) {
    if (item !== null) parts.set(`f:${name}`, { shape: shapeOf(name), value: item });
  }
  return parts;
}

function itemsIn({ keys, item }: Extract<Shape, { type: 'list' }>, list: readonly Json[]) {
  const parts = new Map<string, Part>();
  for (const value of list) {
    const element = keyElement(keys, value);
    if (element === undefined || parts.has(element)) return undefined;
    parts.set(element, { shape: item, value });
  }
  return parts;
}

function keyElement(keys: readonly ListKey[], item: Json): string | undefined {
  if (!isJsonObject(item)) return undefined;
  const key: JsonObject = {};
  for (const { name, default: otherwise } of keys) {
    const value = item[name] ?? otherwise;
    if (value === undefined || value === null || typeof value === 'object') return undefined;
    key[name] = value;
  }
  return `k:${JSON.stringify(key)}`;
}
