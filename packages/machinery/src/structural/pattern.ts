/**
 * A pattern of a schema as a JavaScript regular expression. Patterns are written for RE2, Go's: flags at the beginning and
 * (?P<name>…) are put in JavaScript's words; what Unicode mode finds too lax, such as \- outside of a class, is read without it.
 * Throws SyntaxError. Source: https://github.com/google/re2/wiki/Syntax
 */
export function readPattern(pattern: string): RegExp {
  const [whole = '', flags = ''] = /^\(\?([ims]+)\)/.exec(pattern) ?? [];
  const text = pattern.slice(whole.length).replaceAll('(?P<', '(?<');
  const kept = [...new Set(flags)].join('');
  try {
    return new RegExp(text, `${kept}u`);
  } catch {
    return new RegExp(text, kept);
  }
}
