import type { Json, JsonObject } from '../encode.ts';
import type { MessageSchema } from '../schema.ts';
import { itemsByKey } from './keyed-list.ts';
import { isJsonObject } from './merge-patch.ts';

/**
 * What an object should be after a manifest has been applied: what the manifest says now (`desired`) holds; what it said
 * the last time (`lastApplied`) and says no more goes; everything else of `live` stays, because somebody else set it.
 * Lists with a merge key are merged by item, in the manifest's order; other lists are the manifest's. Changes no argument.
 */
export function threeWayMerge(
  lastApplied: JsonObject,
  live: JsonObject,
  desired: JsonObject,
  schema: MessageSchema | undefined,
): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(live)) {
    if (!Object.hasOwn(lastApplied, key) || Object.hasOwn(desired, key)) result[key] = value;
  }
  for (const [key, want] of Object.entries(desired)) {
    const field = schema?.byJsonName.get(key);
    if (want === null) {
      delete result[key];
    } else if (isJsonObject(want)) {
      const message = field?.cardinality === 'one' ? field.message : undefined;
      result[key] = threeWayMerge(objectOf(lastApplied[key]), objectOf(live[key]), want, message);
    } else if (field?.rules.mergeKey !== undefined && Array.isArray(want)) {
      result[key] = mergeLists(lastApplied[key], live[key], want, field.rules.mergeKey, field.message);
    } else {
      result[key] = want;
    }
  }
  return result;
}

function mergeLists(
  lastApplied: Json | undefined,
  live: Json | undefined,
  desired: readonly Json[],
  mergeKey: string,
  schema: MessageSchema | undefined,
): Json {
  const lastItems = itemsByKey(lastApplied, mergeKey);
  const liveItems = itemsByKey(live, mergeKey);
  const wantItems = itemsByKey([...desired], mergeKey);
  if (lastItems === undefined || liveItems === undefined || wantItems === undefined) return [...desired];
  const merged = [...wantItems].map(([key, want]) =>
    threeWayMerge(lastItems.get(key) ?? {}, liveItems.get(key) ?? {}, want, schema),
  );
  const others = [...liveItems].filter(([key]) => !wantItems.has(key) && !lastItems.has(key));
  return [...merged, ...others.map(([, item]) => item)];
}

function objectOf(json: Json | undefined): JsonObject {
  return isJsonObject(json) ? json : {};
}
