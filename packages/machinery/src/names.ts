/** Without vowels and look-alikes, so that no name reads like a word. Source: k8s.io/apimachinery util/rand. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const maxPrefixLength = 63 - suffixLength;

/** A name made of metadata.generateName and five random letters; `random` gives numbers from 0 up to but not 1. */
export function generatedName(prefix: string, random: () => number): string {
  let suffix = '';
  for (let i = 0; i < suffixLength; i++) suffix += alphabet[Math.floor(random() * alphabet.length)] ?? '';
  return prefix.slice(0, maxPrefixLength) + suffix;
}

/** Writes 32 bits in the same letters: for names that follow from a hash. */
export function safeEncode(hash: number): string {
  return String(hash >>> 0).replaceAll(/\d/g, (digit) => alphabet[Number(digit)] ?? '');
}
