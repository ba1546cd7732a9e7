import { ApiError } from '@navarch/machinery';
import { checkWellFormed } from './keys.ts';

/** Rejects a question that no store can answer. */
export function checkListing(prefix: string, options: { limit?: number; startAfter?: string }): void {
  checkWellFormed(prefix);
  if (options.startAfter !== undefined) checkWellFormed(options.startAfter);
  if (options.limit !== undefined && !(options.limit >= 1)) {
    throw new ApiError('BadRequest', `a list's limit must be at least 1, not ${options.limit}`);
  }
}
