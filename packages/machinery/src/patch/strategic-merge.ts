import type { Json, JsonObject } from '../encode.ts';
import type { PathStep } from '../field-path.ts';
import type { FieldSchema, MessageSchema } from '../schema.ts';
import { badPatch, readPatchObject } from './directives.ts';
import { inElementOrder } from './element-order.ts';
import { itemsByKey, keyOfItem } from './keyed-list.ts';
import { isJsonObject } from './merge-patch.ts';

/**
 * Kubernetes' strategic merge patch: like a merge patch, but a list with a merge key in the contract is merged item by
 * item, and a list of scalars that is a set gains the patch's. Directives:
 *
 * - `$patch: replace` puts the rest of an object in the place of what was there, and in an item of a list the rest of the
 *   list; `$patch: delete` removes the object, or the item with that key; `$patch: merge` says what happens anyway.
 * - `$retainKeys: [a, b]` removes all fields of the object but these.
 * - `$setElementOrder/field: [...]` gives the order of a merged list, by the items' keys.
 * - `$deleteFromPrimitiveList/field: [...]` takes values out of a set.
 *
 * Changes neither argument. Throws BadRequest, saying where, for a directive that makes no sense.
 * Source: https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function strategicMerge(
  schema: MessageSchema | undefined,
  target: Json | undefined,
  patch: JsonObject,
  at: readonly PathStep[] = [],
): JsonObject {
  const { action, changes, retainKeys, orders, deletions } = readPatchObject(patch, at);
  if (action === 'delete') return {};
  const result: JsonObject = {};
  if (action === 'merge' && isJsonObject(target)) {
    for (const [name, value] of Object.entries(target)) {
      if (retainKeys === undefined || retainKeys.includes(name)) result[name] = value;
    }
  }
  for (const name of new Set([...Object.keys(changes), ...orders.keys(), ...deletions.keys()])) {
    const field = schema?.byJsonName.get(name);
    const list = { change: changes[name], order: orders.get(name), deletion: deletions.get(name) };
    const merged = mergeField(field, result[name], list, [...at, name]);
    if (merged === undefined) delete result[name];
    else result[name] = merged;
  }
  return result;
}

/** What a patch says about one field. */
interface FieldPatch {
  readonly change: Json | undefined;
  readonly order: readonly Json[] | undefined;
  readonly deletion: readonly Json[] | undefined;
}

function mergeField(
  field: FieldSchema | undefined,
  target: Json | undefined,
  patch: FieldPatch,
  at: readonly PathStep[],
): Json | undefined {
  const { change, order, deletion } = patch;
  const mergeKey = field?.cardinality === 'list' ? field.rules.mergeKey : undefined;
  const isSet = field?.cardinality === 'list' && field.rules.set;
  if (deletion !== undefined && !isSet)
    throw badPatch(at, '$deleteFromPrimitiveList is for lists that are sets of values');
  if (order !== undefined && !isSet && mergeKey === undefined) {
    throw badPatch(at, '$setElementOrder is for lists whose items are merged; this one is replaced');
  }
  if (change === null) return undefined;
  if (isJsonObject(change)) {
    if (change['$patch'] === 'delete') return undefined;
    return strategicMerge(field?.cardinality === 'one' ? field.message : undefined, target, change, at);
  }
  if (change !== undefined && !Array.isArray(change)) return change;
  if (isSet) return mergeSet(target, patch, at);
  if (mergeKey === undefined) return change ?? target;
  return mergeList({ schema: field?.message, mergeKey, at }, target, patch);
}

function mergeSet(
  target: Json | undefined,
  { change, order, deletion = [] }: FieldPatch,
  at: readonly PathStep[],
): Json {
  const keyOf = (item: Json) => JSON.stringify(item);
  const before = Array.isArray(target) ? target : [];
  const gone = new Set(deletion.map(keyOf));
  const added = Array.isArray(change) ? change : [];
  const items = new Map<string, Json>();
  for (const item of before) if (!gone.has(keyOf(item))) items.set(keyOf(item), item);
  for (const item of added) items.set(keyOf(item), item);
  if (order === undefined) return [...items.values()];
  const wanted = order.map(keyOf);
  checkOrder(added.map(keyOf), wanted, at);
  return ordered(items, before.map(keyOf), wanted);
}

interface KeyedList {
  readonly schema: MessageSchema | undefined;
  readonly mergeKey: string;
  readonly at: readonly PathStep[];
}

function mergeList(list: KeyedList, target: Json | undefined, { change, order }: FieldPatch): Json | undefined {
  const changes = Array.isArray(change) ? change : [];
  const isReplacement = (item: Json) => isJsonObject(item) && item['$patch'] === 'replace';
  const patches = changes.filter((item) => !isReplacement(item));
  const items = patches.length < changes.length ? new Map<string, JsonObject>() : itemsByKey(target, list.mergeKey);
  if (items === undefined) return change ?? target; // its items can't be told apart
  const before = [...items.keys()];
  const set: string[] = [];
  for (const patch of patches) {
    const { key, item } = keyed(list, patch);
    if (item['$patch'] === 'delete') items.delete(key);
    else {
      items.set(key, strategicMerge(list.schema, items.get(key), item, [...list.at, key]));
      set.push(key);
    }
  }
  if (order === undefined) return [...items.values()];
  const wanted = order.map((item) => keyed(list, item).key);
  checkOrder(set, wanted, list.at);
  return ordered(items, before, wanted);
}

function keyed({ mergeKey, at }: KeyedList, item: Json): { key: string; item: JsonObject } {
  const key = keyOfItem(item, mergeKey);
  if (isJsonObject(item) && key !== undefined) return { key, item };
  throw badPatch(at, `each item must have "${mergeKey}", by which items are told apart`);
}

/** The items that a patch sets stand in its order, in the same order. */
function checkOrder(set: readonly string[], wanted: readonly string[], at: readonly PathStep[]): void {
  const placeOf = new Map(wanted.map((key, place) => [key, place]));
  const places = set.map((key) => placeOf.get(key) ?? -1);
  if (places.every((place, index) => place >= 0 && place > (places[index - 1] ?? -1))) return;
  throw badPatch(at, '$setElementOrder must name every item that the patch sets, in the same order');
}

function ordered(items: ReadonlyMap<string, Json>, before: readonly string[], wanted: readonly string[]): Json[] {
  return inElementOrder([...items.keys()], before, wanted).map((key) => items.get(key) ?? null);
}
