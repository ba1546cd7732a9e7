import fastJsonPatch, { type Operation } from 'fast-json-patch';
import type { Json } from '../encode.ts';
import { ApiError } from '../errors.ts';

// A CommonJS package whose names Node can't see: they come with the default import.
// eslint-disable-next-line import/no-named-as-default-member
const { applyPatch, JsonPatchError } = fastJsonPatch;

/** JSON Patch (RFC 6902). Throws Invalid when an operation can't be done, and Conflict when a test fails; then nothing was. */
export function jsonPatch(target: Json, patch: Json): Json {
  if (!Array.isArray(patch)) throw new ApiError('BadRequest', 'a JSON Patch must be a list of operations');
  const operations = patch as unknown as Operation[]; // validated by applyPatch
  try {
    // Validation on, the target left alone, and no way to the prototypes.
    return applyPatch(target, operations, true, false, true).newDocument;
  } catch (error) {
    if (!(error instanceof JsonPatchError)) {
      // It names a prototype, and is refused with a TypeError.
      throw new ApiError('Invalid', `the JSON Patch: ${String(error)}`, { cause: error });
    }
    const { name, operation } = error;
    // The error's own index is always 0.
    const index = Math.max(0, operations.indexOf(operation));
    const what = operation === undefined ? '' : `: ${String(operation.op)} ${String(operation.path)}`;
    const reason = name === 'TEST_OPERATION_FAILED' ? 'Conflict' : 'Invalid';
    throw new ApiError(reason, `operation ${index} of the JSON Patch${what}: ${explain(name)}`, { cause: error });
  }
}

/** OPERATION_PATH_UNRESOLVABLE as words. */
function explain(name: string): string {
  return name.toLowerCase().replaceAll('_', ' ');
}
