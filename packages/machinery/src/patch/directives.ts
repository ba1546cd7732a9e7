import type { Json, JsonObject } from '../encode.ts';
import { ApiError } from '../errors.ts';
import { formatPath, type PathStep } from '../field-path.ts';

/** One object of a strategic merge patch: the fields it changes, and what its directives say. */
export interface PatchObject {
  readonly action: 'merge' | 'replace' | 'delete';
  readonly changes: JsonObject;
  /** The fields that may be there afterwards; undefined for any. */
  readonly retainKeys: readonly string[] | undefined;
  /** By field: the order of a list's items. */
  readonly orders: ReadonlyMap<string, readonly Json[]>;
  /** By field: the values that a list loses. */
  readonly deletions: ReadonlyMap<string, readonly Json[]>;
}

const orderPrefix = '$setElementOrder/';
const deletionPrefix = '$deleteFromPrimitiveList/';

/** Tells fields from directives. Throws BadRequest for a directive that there is not, or that says nothing sensible. */
export function readPatchObject(patch: JsonObject, at: readonly PathStep[]): PatchObject {
  const changes: JsonObject = {};
  const orders = new Map<string, readonly Json[]>();
  const deletions = new Map<string, readonly Json[]>();
  let action: PatchObject['action'] = 'merge';
  let retainKeys: readonly string[] | undefined;
  for (const [name, value] of Object.entries(patch)) {
    if (!name.startsWith('$')) changes[name] = value;
    else if (name === '$patch') action = actionOf(value, at);
    else if (name === '$retainKeys') retainKeys = namesOf(value, at);
    else if (name.startsWith(orderPrefix)) orders.set(name.slice(orderPrefix.length), listOf(name, value, at));
    else if (name.startsWith(deletionPrefix)) deletions.set(name.slice(deletionPrefix.length), listOf(name, value, at));
    else {
      const known = `$patch, $retainKeys, ${orderPrefix}FIELD and ${deletionPrefix}FIELD`;
      throw badPatch(at, `there is no patch directive ${name}; there are ${known}`);
    }
  }
  if (retainKeys !== undefined) checkRetained(changes, retainKeys, at);
  return { action, changes, retainKeys, orders, deletions };
}

/** A patch that makes no sense, and where. */
export function badPatch(at: readonly PathStep[], problem: string): ApiError {
  const where = formatPath(at);
  return new ApiError('BadRequest', `the strategic merge patch${where === '' ? '' : `, ${where}`}: ${problem}`);
}

function actionOf(value: Json, at: readonly PathStep[]): PatchObject['action'] {
  if (value === 'merge' || value === 'replace' || value === 'delete') return value;
  throw badPatch(at, '$patch must be merge, replace or delete');
}

function namesOf(value: Json, at: readonly PathStep[]): readonly string[] {
  const isNames = (list: Json): list is string[] =>
    Array.isArray(list) && list.every((name) => typeof name === 'string');
  if (isNames(value)) return value;
  throw badPatch(at, '$retainKeys must be a list of the names of fields');
}

function listOf(name: string, value: Json, at: readonly PathStep[]): readonly Json[] {
  if (Array.isArray(value)) return value;
  throw badPatch(at, `${name} must be a list`);
}

function checkRetained(changes: JsonObject, retainKeys: readonly string[], at: readonly PathStep[]): void {
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || retainKeys.includes(name)) continue;
    throw badPatch(at, `sets ${name}, which its $retainKeys does not keep: name it there too`);
  }
}
