import fastJsonPatch, { type Operation } from 'fast-json-patch';
import type { Json } from '../encode.ts';
import { ApiError } from '../errors.ts';

// A CommonJS package whose names Node can't see: they come with the default import.
// eslint-disable-next-line import/no-named-as-default-member
const { applyOperation, deepClone, getValueByPointer, JsonPatchError } = fastJsonPatch;

/** As in Kubernetes. */
const maxOperations = 10_000;
/** All that is copied, as JSON: forty copies of an object into itself would otherwise fill any memory. */
const maxCopied = 1024 * 1024;

/**
 * JSON Patch (RFC 6902). Throws Invalid when an operation can't be done, and Conflict when a test fails; then nothing was.
 * Throws RequestEntityTooLarge for more than 10,000 operations, or for those that copy more than 1 MiB.
 */
export function jsonPatch(target: Json, patch: Json): Json {
  if (!Array.isArray(patch)) throw new ApiError('BadRequest', 'a JSON Patch must be a list of operations');
  if (patch.length > maxOperations) {
    throw new ApiError('RequestEntityTooLarge', `a JSON Patch holds at most ${maxOperations} operations`);
  }
  let document = deepClone(target) as Json; // of the same type
  let copied = 0;
  for (const [index, operation] of (patch as unknown as Operation[]).entries()) {
    try {
      if (operation?.op === 'copy') copied += sizeAt(document, operation.from);
      if (copied > maxCopied) {
        throw new ApiError('RequestEntityTooLarge', `the JSON Patch copies more than ${maxCopied} bytes`);
      }
      // Validation on, on our own copy, and no way to the prototypes.
      document = applyOperation(document, operation, true, true, true, index).newDocument;
    } catch (error) {
      throw refusal(error, index, operation);
    }
  }
  return document;
}

function refusal(error: unknown, index: number, operation: Readonly<Record<'op' | 'path', unknown>> | null): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof JsonPatchError)) {
    // It names a prototype, and is refused with a TypeError.
    return new ApiError('Invalid', `the JSON Patch: ${String(error)}`, { cause: error });
  }
  const { name } = error;
  const what = operation === null ? '' : `: ${String(operation.op)} ${String(operation.path)}`;
  const reason = name === 'TEST_OPERATION_FAILED' ? 'Conflict' : 'Invalid';
  return new ApiError(reason, `operation ${index} of the JSON Patch${what}: ${explain(name)}`, { cause: error });
}

/** How long the JSON of a part of the document is; 0 when there is no such part. */
function sizeAt(document: Json, pointer: unknown): number {
  if (typeof pointer !== 'string') return 0;
  try {
    return JSON.stringify(getValueByPointer(document, pointer))?.length ?? 0;
  } catch {
    return 0; // the copy itself says what is wrong
  }
}

/** OPERATION_PATH_UNRESOLVABLE as words. */
function explain(name: string): string {
  return name.toLowerCase().replaceAll('_', ' ');
}
