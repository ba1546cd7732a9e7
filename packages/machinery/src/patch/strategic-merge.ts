import type { Json, JsonObject } from '../encode.ts';
import { ApiError } from '../errors.ts';
import type { FieldSchema, MessageSchema } from '../schema.ts';
import { itemsByKey, keyOfItem } from './keyed-list.ts';
import { isJsonObject } from './merge-patch.ts';

/**
 * Kubernetes' strategic merge patch: like a merge patch, but a list with a merge key in the contract is merged item by
 * item. `$patch: replace` in an object puts the rest of it in the place of what was there, in an item of a list the rest of
 * the list; `$patch: delete` removes the object, or the item with that key; `$patch: merge` says what happens anyway.
 * Changes neither argument. Throws BadRequest for other directives.
 * Source: https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function strategicMerge(
  schema: MessageSchema | undefined,
  target: Json | undefined,
  patch: JsonObject,
): JsonObject {
  const { $patch: directive, ...changes } = patch;
  checkDirective(directive);
  if (directive === 'delete') return {};
  const result: JsonObject = directive !== 'replace' && isJsonObject(target) ? { ...target } : {};
  for (const [key, change] of Object.entries(changes)) {
    if (key.startsWith('$')) throw new ApiError('BadRequest', `the patch directive ${key} is not supported`);
    const merged = mergeField(schema?.byJsonName.get(key), result[key], change);
    if (merged === undefined) delete result[key];
    else result[key] = merged;
  }
  return result;
}

function mergeField(field: FieldSchema | undefined, target: Json | undefined, change: Json): Json | undefined {
  if (change === null) return undefined;
  if (isJsonObject(change)) {
    if (change['$patch'] === 'delete') return undefined;
    return strategicMerge(field?.cardinality === 'one' ? field.message : undefined, target, change);
  }
  const mergeKey = field?.rules.mergeKey;
  if (mergeKey !== undefined && Array.isArray(change)) return mergeList(field?.message, mergeKey, target, change);
  return change;
}

function mergeList(
  schema: MessageSchema | undefined,
  mergeKey: string,
  target: Json | undefined,
  changes: readonly Json[],
): Json {
  const isReplacement = (change: Json) => isJsonObject(change) && change['$patch'] === 'replace';
  const rest = changes.filter((change) => !isReplacement(change));
  const items = rest.length < changes.length ? new Map<string, JsonObject>() : itemsByKey(target, mergeKey);
  if (items === undefined) return rest;
  for (const change of rest) {
    const key = keyOfItem(change, mergeKey);
    if (!isJsonObject(change) || key === undefined) {
      throw new ApiError('BadRequest', `each item of this list in a strategic merge patch must have "${mergeKey}"`);
    }
    if (change['$patch'] === 'delete') items.delete(key);
    else items.set(key, strategicMerge(schema, items.get(key), change));
  }
  return [...items.values()];
}

function checkDirective(directive: Json | undefined): void {
  if (directive === undefined || directive === 'merge' || directive === 'replace' || directive === 'delete') return;
  throw new ApiError('BadRequest', `$patch must be merge, replace or delete, not ${JSON.stringify(directive)}`);
}
