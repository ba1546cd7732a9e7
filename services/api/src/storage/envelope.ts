import { ApiError } from '@navarch/machinery';

/**
 * What is stored: one byte that tells how the rest is to be read, then the encoded Resource without its revision. The
 * revision is the store's own knowledge of the key; keeping it out lets the bytes be passed on as they are.
 */
const plain = 0;

/** The value to store for an encoded Resource. */
export function seal(body: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(body.length + 1);
  value[0] = plain;
  value.set(body, 1);
  return value;
}

/** The encoded Resource in a stored value: a view of its bytes. */
export function open(value: Uint8Array): Uint8Array {
  if (value[0] !== plain) {
    throw new ApiError(
      'InternalError',
      `a stored object has envelope version ${value[0] ?? 'none'}, but this api reads only ${plain}: it was written by a newer version or not by navarch`,
    );
  }
  return value.subarray(1);
}
