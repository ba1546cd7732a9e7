import { createHash } from 'node:crypto';

/** What Kubernetes' generated suffixes are written with: no vowels, no characters that look alike. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Room for `-` and a suffix within the longest name (253 characters, RFC 1123). */
const longestPrefix = 240;

/**
 * Names for `count` new children, always the same for the same owner and the same `taken` names: a decision made twice
 * from a stale cache names the same child twice, and the second creation is refused.
 */
export function childNames(
  owner: { readonly name: string; readonly uid: string },
  count: number,
  taken: { has(name: string): boolean },
): readonly string[] {
  const names = new Set<string>();
  for (let ordinal = 0; names.size < count; ordinal++) {
    const name = `${owner.name.slice(0, longestPrefix)}-${shortHash(`${owner.uid} ${ordinal}`, 5)}`;
    if (!taken.has(name)) names.add(name);
  }
  return [...names];
}

/** `length` letters and digits that follow from `text`. */
export function shortHash(text: string, length: number): string {
  const digest = createHash('sha256').update(text).digest();
  return Array.from(digest.subarray(0, length), (byte) => alphabet[byte % alphabet.length]).join('');
}
