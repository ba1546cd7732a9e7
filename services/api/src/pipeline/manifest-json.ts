import { decodeManifest, type KindDefinition, type Kinds, UnknownKind } from '@navarch/kinds';
import { ApiError, duplicateFields, type FieldError, type Json, type JsonObject } from '@navarch/machinery';
import { describe } from '../read/resource-name.ts';
import { type FieldPolicy, refused } from './field-policy.ts';
import type { WritableObject } from './object-rules.ts';

/** No kind is nested nearly so deep, and whatever walks through an object may rely on it. */
const maxDepth = 100;

/** Parses JSON. The parser's own message is left out: it quotes the text, which may be a secret's. */
export function parseJson(text: string, what: string, policy: FieldPolicy): Json {
  if (depthOf(text) > maxDepth) {
    throw new ApiError('BadRequest', `${what} is nested too deep: at most ${maxDepth} levels are read`);
  }
  let json: Json;
  try {
    json = JSON.parse(text) as Json; // that is what JSON.parse gives
  } catch {
    throw new ApiError('BadRequest', `${what} is not valid JSON`);
  }
  const errors = duplicateFields(text).map(
    (path): FieldError => ({ path, message: 'stands here twice; the last one would count', unknown: true }),
  );
  const left = refused(errors, policy);
  if (left.length > 0) throw invalid(`the ${what}`, left);
  return json;
}

/** How many objects and lists stand within one another, told from the text. One pass: a text may be megabytes long. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const symbol = text[i];
    if (symbol === '"') quoted = !quoted;
    else if (quoted && symbol === '\\') i++;
    else if (quoted) continue;
    else if (symbol === '{' || symbol === '[') deepest = Math.max(deepest, ++depth);
    else if (symbol === '}' || symbol === ']') depth--;
  }
  return deepest;
}

/** The kind and object that a manifest describes. Throws Invalid, naming every field that is wrong. */
export function objectFromManifest(
  kinds: Kinds,
  json: Json | JsonObject,
  policy: FieldPolicy,
): { kind: KindDefinition; object: Partial<WritableObject> } {
  const { kind, object, errors } = decodeManifest(json, kinds);
  if (kind === undefined) {
    const { message, fields } = invalid('the manifest', errors);
    throw new UnknownKind('Invalid', message, { fields });
  }
  const { name = '', namespace = '' } = object.metadata ?? {};
  const shown = refused(kind.confidential ? errors.map(withoutValue) : errors, policy);
  if (shown.length > 0) throw invalid(describe(kind, namespace, name), shown);
  // An object of its kind's message. It has no metadata when the manifest has none.
  return { kind, object: object as Partial<WritableObject> };
}

function invalid(what: string, errors: readonly FieldError[]): ApiError {
  const fields = errors.slice(0, 20);
  const list = fields.map(({ path, message }) => `${path === '' ? '' : `${path}: `}${message}`).join('; ');
  return new ApiError('Invalid', `${what} is invalid: ${list}`, { fields });
}

/** What is wrong with a value of a secret is said without the value. */
function withoutValue(error: FieldError): FieldError {
  const { path } = error;
  if (!/^(data|stringData|binaryData)\b/.test(path)) return error;
  return { path, message: path.startsWith('stringData') ? 'must be text' : 'must be text in base64 (RFC 4648)' };
}
