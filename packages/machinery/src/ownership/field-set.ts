import type { Json, JsonObject } from '../encode.ts';
import { isJsonObject } from '../patch/merge-patch.ts';

/**
 * A set of places in an object: a tree whose edges are Kubernetes' path elements. `f:name` is a field or the key of a map,
 * `k:{"name":"web"}` the item of a list with that key, `v:"x"` an item of a list that is a set. A place can be in the set
 * together with places inside it: an item of a list, and its fields. Immutable.
 * Source: https://kubernetes.io/docs/reference/using-api/server-side-apply, FieldsV1 in the Kubernetes API reference.
 */
export interface FieldSet {
  /** The place itself is in the set. */
  readonly self: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

export const noFields: FieldSet = { self: false, children: new Map() };
/** A place without anything inside it. */
export const wholeField: FieldSet = { self: true, children: new Map() };

export function isEmpty({ self, children }: FieldSet): boolean {
  return !self && children.size === 0;
}

/** A node that is in no set unless it, or something inside it, is. */
export function fieldSet(self: boolean, children: Iterable<readonly [string, FieldSet]>): FieldSet {
  const kept = new Map<string, FieldSet>();
  for (const [element, child] of children) if (!isEmpty(child)) kept.set(element, child);
  return { self, children: kept };
}

/** Places in one of the two. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map(a.children);
  for (const [element, child] of b.children) {
    const mine = children.get(element);
    children.set(element, mine === undefined ? child : union(mine, child));
  }
  return { self: a.self || b.self, children };
}

/** Places in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return fieldSet(
    a.self && b.self,
    [...a.children].map(([element, child]) => [element, intersection(child, b.children.get(element) ?? noFields)]),
  );
}

/** Places in `a` and not in `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return fieldSet(
    a.self && !b.self,
    [...a.children].map(([element, child]) => [element, difference(child, b.children.get(element) ?? noFields)]),
  );
}

/** Places of `a` that are in `b` or inside a place that is. */
export function within(a: FieldSet, b: FieldSet): FieldSet {
  if (b.self) return a;
  return fieldSet(
    false,
    [...a.children].map(([element, child]) => [element, within(child, b.children.get(element) ?? noFields)]),
  );
}

/** Places of `a` that are neither in `b` nor inside a place that is. */
export function outside(a: FieldSet, b: FieldSet): FieldSet {
  if (b.self) return noFields;
  return fieldSet(
    a.self,
    [...a.children].map(([element, child]) => [element, outside(child, b.children.get(element) ?? noFields)]),
  );
}

export function sameFields(a: FieldSet, b: FieldSet): boolean {
  if (a.self !== b.self || a.children.size !== b.children.size) return false;
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (other === undefined || !sameFields(child, other)) return false;
  }
  return true;
}

/** Every place in the set, spelled for people: `spec.containers[name="web"].image`. */
export function fieldPaths(set: FieldSet, at = ''): string[] {
  const inner = [...set.children].flatMap(([element, child]) => fieldPaths(child, at + spell(element, at === '')));
  return set.self ? [at, ...inner] : inner;
}

/** As Kubernetes' FieldsV1: each place an object of the places inside it, `.` for the place itself where there are both. */
export function fieldsToJson(set: FieldSet): JsonObject {
  const json: JsonObject = set.self && set.children.size > 0 ? { '.': {} } : {};
  for (const [element, child] of set.children) json[element] = fieldsToJson(child);
  return json;
}

/** The inverse. What is no FieldsV1 is left out. */
export function fieldsFromJson(json: Json | undefined): FieldSet {
  return isJsonObject(json) ? fieldSet(false, childrenFromJson(json)) : noFields;
}

function childrenFromJson(json: JsonObject): [string, FieldSet][] {
  return Object.entries(json).flatMap(([element, inner]): [string, FieldSet][] => {
    if (element === '.' || !isJsonObject(inner)) return [];
    const children = childrenFromJson(inner);
    return [[element, fieldSet(children.length === 0 || '.' in inner, children)]];
  });
}

function spell(element: string, first: boolean): string {
  const text = element.slice(2);
  if (element.startsWith('f:')) return plain.test(text) ? `${first ? '' : '.'}${text}` : `[${text}]`;
  if (element.startsWith('v:')) return `[=${text}]`;
  const key = JSON.parse(text) as JsonObject; // made by keyElement
  const parts = Object.entries(key).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `[${parts.join(',')}]`;
}

const plain = /^[A-Za-z_$-][A-Za-z0-9_$-]*$/;
