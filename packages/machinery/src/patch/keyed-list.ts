import type { Json, JsonObject } from '../encode.ts';
import { isJsonObject } from './merge-patch.ts';

/**
 * The items of a list by their merge key; undefined unless every item is an object with a key of its own. Such a list can't
 * be merged item by item (a port that stands there for TCP and for UDP) and is replaced as a whole.
 */
export function itemsByKey(list: Json | undefined, mergeKey: string): Map<string, JsonObject> | undefined {
  if (list === undefined) return new Map();
  if (!Array.isArray(list)) return undefined;
  const items = new Map<string, JsonObject>();
  for (const item of list) {
    const key = keyOfItem(item, mergeKey);
    if (key === undefined || items.has(key)) return undefined;
    items.set(key, item as JsonObject); // an object, since it has a key
  }
  return items;
}

/** What tells an item of such a list apart: a text or a number. */
export function keyOfItem(item: Json, mergeKey: string): string | undefined {
  const key = isJsonObject(item) ? item[mergeKey] : undefined;
  return typeof key === 'string' || typeof key === 'number' ? String(key) : undefined;
}
