import type { Exchange } from '../http/exchange.ts';
import { readObjectBody } from '../http/body.ts';
import { badRequest } from '../http/status.ts';
import { isObject } from '../resources/manifest-body.ts';

/** The spec of what a client sends to be looked at. Throws 400 for another kind, or for what is none. */
export async function readSpec(
  exchange: Exchange,
  { apiVersion, kind: wanted }: { readonly apiVersion: string; readonly kind: string },
): Promise<Readonly<Record<string, unknown>>> {
  const { json } = await readObjectBody(exchange.request, { apiVersion, kind: wanted });
  const { kind = wanted, spec = {} } = isObject(json) ? json : { kind: '' };
  if (kind !== wanted || !isObject(spec)) throw badRequest(`the body of the request must hold a ${wanted}`);
  return spec;
}

/** Fields of a JSON object as texts; '' for what is not there. Throws 400 for what is no text. */
export function textFields<K extends string>(from: unknown, path: string, ...names: readonly K[]): Record<K, string> {
  if (!isObject(from)) throw badRequest(`${path} must be an object`);
  const entries = names.map((name) => {
    const value = from[name] ?? '';
    if (typeof value !== 'string') throw badRequest(`${path}.${name} must be a text`);
    return [name, value];
  });
  return Object.fromEntries(entries) as Record<K, string>; // one entry for each name
}

/** A list of texts; empty for none. Throws 400. */
export function textList(value: unknown, path: string): readonly string[] {
  const list: unknown = value ?? [];
  if (!Array.isArray(list) || !list.every((each) => typeof each === 'string')) {
    throw badRequest(`${path} must be a list of texts`);
  }
  return list;
}
