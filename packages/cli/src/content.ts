import { isDeepStrictEqual } from 'node:util';
import { type KindDefinition, manifest } from '@navarch/kinds';
import type { JsonObject, KubeObject } from '@navarch/machinery';

type Annotations = Record<string, string>;

/** What the api counts and notes by itself: it differs from version to version, and says nothing of what was changed. */
const bookkeeping = ['resourceVersion', 'generation', 'managedFields'];
/** What belongs to one life of an object. */
const ofOneLife = ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'];

/** An object as a manifest, without what the api notes by itself. */
export function changeable(kind: KindDefinition, object: KubeObject): JsonObject {
  return without(manifest(kind, object), bookkeeping);
}

/** Whether two versions differ in what a user writes: not in status, nor in what belongs to one life or to controllers. */
export function differs(kind: KindDefinition, one: KubeObject, two: KubeObject): boolean {
  return !isDeepStrictEqual(written(kind, one), written(kind, two));
}

/** Whether a patch of the object, or of its status, changed it. What a controller wrote to its status meanwhile does not count. */
export function isPatched(kind: KindDefinition, before: KubeObject, after: KubeObject, subresource?: string): boolean {
  const [one, two] = [before, after].map((object) => {
    const { status, ...rest } = changeable(kind, object);
    return subresource === 'status' ? { ...rest, status } : rest;
  });
  return !isDeepStrictEqual(one, two);
}

function written(kind: KindDefinition, object: KubeObject): JsonObject {
  const { annotations } = splitAnnotations(object);
  const metadata = object.metadata && { ...object.metadata, annotations };
  const { status: _, ...rest } = without(manifest(kind, { ...object, metadata }), [...bookkeeping, ...ofOneLife]);
  return rest;
}

/** The annotations that users write, and those by which controllers and clients keep their books. */
export function splitAnnotations({ metadata }: KubeObject): { annotations: Annotations; books: Annotations } {
  const entries = Object.entries(metadata?.annotations ?? {});
  const isBook = ([key]: readonly [string, string]) => /(^|\.)(kubernetes|k8s|navarch)\.io\//.test(key);
  return {
    annotations: Object.fromEntries(entries.filter((entry) => !isBook(entry))),
    books: Object.fromEntries(entries.filter(isBook)),
  };
}

/** The paths at which two values differ, as in spec.containers[0].image: as deep as both have the same form. */
export function changedPaths(before: unknown, after: unknown, path = ''): string[] {
  if (Array.isArray(before) && Array.isArray(after)) {
    if (before.length !== after.length) return [path];
    return before.flatMap((item, index) => changedPaths(item, after[index], `${path}[${index}]`));
  }
  if (isRecord(before) && isRecord(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => changedPaths(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  return Object.is(before, after) ? [] : [path];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function without(json: JsonObject, fields: readonly string[]): JsonObject {
  const { metadata, ...rest } = json;
  if (!isRecord(metadata)) return json;
  const kept = Object.entries(metadata).filter(([key]) => !fields.includes(key));
  // In the place that it had: kind and apiVersion come first.
  const { apiVersion, kind, ...others } = rest;
  return { apiVersion, kind, metadata: Object.fromEntries(kept), ...others } as JsonObject; // JSON, as it was
}
