import { ApiError } from '@navarch/machinery';

/** "Before everything" and the empty store look the same. */
export function atLeastOne(revision: bigint): bigint {
  return revision > 1n ? revision : 1n;
}

export function closedError(): ApiError {
  return new ApiError('Unavailable', 'the store is closed: this process is shutting down');
}

export function compactedError(revision: bigint, compacted: bigint): ApiError {
  return new ApiError('Expired', `revision ${revision} is older than the history kept (from ${compacted}): list again`);
}

export function futureError(revision: bigint, newest: bigint): ApiError {
  return new ApiError(
    'Expired',
    `revision ${revision} is newer than the store's newest, ${newest}: its data was reset or restored, so list again`,
  );
}
