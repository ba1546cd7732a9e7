import { batchSize } from './hands.ts';

/** `all` in parts that a transaction can hold. */
export function* chunks<T>(all: readonly T[]): Iterable<readonly T[]> {
  for (let at = 0; at < all.length; at += batchSize) yield all.slice(at, at + batchSize);
}
