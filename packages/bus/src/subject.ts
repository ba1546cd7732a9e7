/**
 * Subjects are tokens joined by dots, and NATS gives `.`, `*`, `>` and blanks a meaning. Names may hold any of them, so
 * every token is escaped here and nowhere else: letters, digits, `-` and `_` stand for themselves, every other byte of
 * the UTF-8 text is `=` and two hex digits, and the empty text is a lone `=`.
 * Source: https://docs.nats.io/nats-concepts/subjects (characters, wildcards).
 */
const prefix = 'navarch';

/** In a `subjectPattern`: any one token. */
export const anyToken: unique symbol = Symbol('any one token');
/** At the end of a `subjectPattern`: any further tokens, at least one. */
export const anyTokens: unique symbol = Symbol('any further tokens');

/** The subject of messages about `tokens`: `subject('changes', 'pods', 'web.1')` is `navarch.changes.pods.web=2e1`. */
export function subject(...tokens: readonly string[]): string {
  return [prefix, ...tokens.map(escapeToken)].join('.');
}

/** What to subscribe to, for all subjects that fit: `subjectPattern('changes', 'pods', anyTokens)`. */
export function subjectPattern(...tokens: readonly (string | typeof anyToken | typeof anyTokens)[]): string {
  const parts = tokens.map((token, index) => {
    if (token === anyToken) return '*';
    if (typeof token === 'string') return escapeToken(token);
    if (index < tokens.length - 1) throw new Error('anyTokens stands for the rest of a subject, so it must come last');
    return '>';
  });
  return [prefix, ...parts].join('.');
}

/** The tokens that `subject` was given; undefined when the text did not come from `subject`. */
export function tokensOf(text: string): readonly string[] | undefined {
  const [first, ...tokens] = text.split('.');
  if (first !== prefix) return undefined;
  const names = tokens.map(unescapeToken);
  return names.every((name) => name !== undefined) ? names : undefined;
}

/** Whether a message on `subject` reaches a subscription to `pattern`. */
export function matches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.');
  const tokens = subject.split('.');
  for (const [index, token] of wanted.entries()) {
    if (token === '>') return tokens.length > index;
    if (token !== '*' && token !== tokens[index]) return false;
    if (index >= tokens.length) return false;
  }
  return tokens.length === wanted.length;
}

/** Whether a stream keeps messages on `subject`. */
export function captures({ subjects }: { readonly subjects: readonly string[] }, subject: string): boolean {
  return subjects.some((pattern) => matches(pattern, subject));
}

function escapeToken(name: string): string {
  if (name === '') return '=';
  if (/^[A-Za-z0-9_-]+$/.test(name)) return name;
  return [...Buffer.from(name, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9_-]/.test(character) ? character : `=${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

function unescapeToken(token: string): string | undefined {
  if (token === '=') return '';
  if (!/^([A-Za-z0-9_-]|=[0-9a-f]{2})+$/.test(token)) return undefined;
  const hex = token.replace(/=([0-9a-f]{2})|(.)/g, (_, escaped: string | undefined, plain: string | undefined) =>
    plain === undefined ? String(escaped) : plain.charCodeAt(0).toString(16).padStart(2, '0'),
  );
  const bytes = Buffer.from(hex, 'hex');
  const name = bytes.toString('utf8');
  return Buffer.from(name, 'utf8').equals(bytes) ? name : undefined;
}
