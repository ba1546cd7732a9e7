import type { KindDefinition } from '@navarch/kinds';
import type { Json, JsonObject } from '@navarch/machinery';
import type { ObjectMeta } from '@navarch/proto';

/** Where an object remembers the manifest that was applied to it last: what is missing in the next one is removed. */
export const lastAppliedKey = 'navarch.io/last-applied-configuration';

/** The merge asks only which fields and items there were, so texts that are no item's key need not be kept. */
const longestKept = 1024;

/** The annotation for a manifest: as it is, but without long texts, and without the values of a confidential kind. */
export function remember(kind: KindDefinition, manifest: JsonObject): string {
  return `${JSON.stringify(manifest, (key: string, value: Json) => {
    if (kind.confidential && /^(data|stringData|binaryData)$/.test(key) && isObject(value)) return emptied(value);
    return typeof value === 'string' && value.length > longestKept ? '' : value;
  })}\n`;
}

/** What the manifest said the last time; nothing when the object was not made by applying one. */
export function recall({ annotations }: ObjectMeta): JsonObject {
  const text = annotations[lastAppliedKey];
  if (text === undefined) return {};
  try {
    const json = JSON.parse(text) as Json; // that is what JSON.parse gives
    return isObject(json) ? json : {};
  } catch {
    return {}; // somebody wrote over it: then nothing is known to have been applied
  }
}

function isObject(json: Json): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function emptied(values: JsonObject): JsonObject {
  return Object.fromEntries(Object.keys(values).map((key) => [key, '']));
}
