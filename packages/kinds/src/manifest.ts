import {
  closest,
  decodeObject,
  encodeObject,
  type FieldError,
  type JsonObject,
  type KubeObject,
} from '@navarch/machinery';
import type { KindDefinition } from './define-kind.ts';
import type { Kinds } from './kind-set.ts';
import { builtinKinds } from './registry.ts';

/** The object as a manifest: apiVersion and kind first, then its fields; what is empty is left out. */
export function manifest<T extends KubeObject>(kind: KindDefinition<T>, object: T): JsonObject {
  const json = encodeObject(kind.schema, object);
  for (const part of ['metadata', 'spec', 'status']) if (isEmptyObject(json[part])) delete json[part];
  return { apiVersion: kind.apiVersion, kind: kind.kind, ...json };
}

export type DecodedManifest =
  | { readonly kind: KindDefinition; readonly object: KubeObject; readonly errors: readonly FieldError[] }
  | { readonly kind: undefined; readonly object: undefined; readonly errors: readonly FieldError[] };

/**
 * Reads a manifest of any of `kinds` strictly. With an unknown apiVersion or kind there is nothing but errors; otherwise the
 * object is there, and is what the manifest says when `errors` is empty. Nothing is defaulted or validated yet.
 */
export function decodeManifest(json: unknown, kinds: Kinds = builtinKinds): DecodedManifest {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return nothing('', 'must be an object');
  const { apiVersion, kind: kindName, ...fields } = json as Record<string, unknown>; // an object, by the test above
  if (typeof apiVersion !== 'string' || apiVersion === '')
    return nothing('apiVersion', 'must be set, to v1 or apps/v1');
  if (typeof kindName !== 'string' || kindName === '') return nothing('kind', 'must be set, to Pod or Deployment');
  const kind = kinds.byApiVersion(apiVersion, kindName);
  if (kind === undefined) return unknownKind(apiVersion, kindName, kinds);
  const { value, errors } = decodeObject<KubeObject>(kind.schema, fields);
  return { kind, object: value, errors };
}

function unknownKind(apiVersion: string, name: string, kinds: Kinds): DecodedManifest {
  const exact = kinds.all.find((kind) => kind.kind === name);
  if (exact !== undefined) {
    return nothing('apiVersion', `${name} has the apiVersion ${exact.apiVersion}, not "${apiVersion}"`);
  }
  const guess = closest(
    name,
    kinds.all.map((kind) => kind.kind),
  );
  const hint =
    guess === undefined ? `known are ${kinds.all.map((kind) => kind.kind).join(', ')}` : `did you mean ${guess}?`;
  return nothing('kind', `there is no kind "${name}" of ${apiVersion}; ${hint}`);
}

function nothing(path: string, message: string): DecodedManifest {
  return { kind: undefined, object: undefined, errors: [{ path, message }] };
}

function isEmptyObject(json: unknown): boolean {
  return typeof json === 'object' && json !== null && Object.keys(json).length === 0;
}
