import { UserError } from './session.ts';

/** Reads a=1,b=2, once or several times. Throws UserError that names the flag and shows an example. */
export function readPairs(flag: string, texts: readonly string[], example: string): Record<string, string> {
  const pairs = new Map<string, string>();
  for (const text of texts.flatMap((each) => each.split(','))) {
    const equals = text.indexOf('=');
    if (equals < 1) throw new UserError(`${flag}: "${text}" must be as in ${example}`);
    pairs.set(text.slice(0, equals).trim(), text.slice(equals + 1).trim());
  }
  return Object.fromEntries(pairs);
}
