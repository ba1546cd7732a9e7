import { UnknownKind } from '@navarch/kinds';
import { Denied } from '../pipeline/access.ts';

/** Calls `run` when it is first called, and then gives or throws the same again. */
export function once<T>(run: () => T): () => T {
  let outcome: { value: T } | { error: unknown } | undefined;
  return () => {
    if (outcome === undefined) {
      try {
        outcome = { value: run() };
      } catch (error) {
        outcome = { error };
      }
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  };
}

/** Throws when what is decoded is of a kind that is not known, or is refused as far as is known. */
export function refuseUnknown(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    if (error instanceof UnknownKind || error instanceof Denied) throw error;
    // Any other error is the write's own result, later.
  }
}
