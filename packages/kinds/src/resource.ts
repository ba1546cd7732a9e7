import { ApiError, type KubeObject, type Live } from '@navarch/machinery';
import type { Resource } from '@navarch/proto';
import type { KindDefinition } from './define-kind.ts';
import type { Kinds } from './kind-set.ts';
import { builtinKinds } from './registry.ts';

/**
 * An object as it travels. Its `metadata.resourceVersion` becomes the revision ('' is 0). The object is not changed.
 * Throws BadRequest when resourceVersion is no decimal number.
 */
export function toResource<T extends KubeObject>(kind: KindDefinition<T>, object: T): Resource {
  const text = object.metadata?.resourceVersion ?? '';
  if (!/^\d*$/.test(text)) {
    throw new ApiError('BadRequest', `metadata.resourceVersion must be what the api gave, not "${text}"`);
  }
  const value = text === '' ? object : { ...object, metadata: { ...object.metadata, resourceVersion: '' } };
  // The kind's case and message type belong together, which the type of a definition cannot say.
  return { revision: BigInt(text), object: { $case: kind.case, value } as unknown as Resource['object'] };
}

/** The object in a Resource, or its metadata alone, and its kind, as they are. Throws BadRequest when there is none. */
export function fromResource(
  { object }: Resource,
  kinds: Kinds = builtinKinds,
): { kind: KindDefinition; object: KubeObject } {
  if (object === undefined) throw new ApiError('BadRequest', 'the resource holds no object');
  const value = object.$case === 'partial' ? { metadata: object.value.metadata } : object.value;
  return { kind: kinds.of(object), object: value };
}

/** What tells kinds of objects that travel apart: the versions of a custom kind are one. */
export function familyOf({ object }: Resource): string {
  if (object === undefined) return '';
  if (object.$case !== 'custom') return object.$case;
  const { apiVersion, kind } = object.value;
  return `${apiVersion.slice(0, apiVersion.indexOf('/'))}/${kind}`;
}

/** The same for a definition. */
export function familyOfKind({ case: name, group, kind }: Pick<KindDefinition, 'case' | 'group' | 'kind'>): string {
  return name === 'custom' ? `${group}/${kind}` : name;
}

/**
 * The object in a Resource as readers get it: metadata, and spec and status where the kind has them, are never undefined,
 * and `metadata.resourceVersion` is the revision. Fills these into the Resource's own object. T is the caller's word.
 */
export function liveObject<T extends KubeObject>(resource: Resource): Live<T> {
  if (resource.object === undefined) throw new ApiError('BadRequest', 'the resource holds no object');
  const { $case, value: object } = resource.object;
  // Every message of a kind is such a record; fields that it lacks are not among its keys.
  const record = object as { metadata?: { resourceVersion: string }; spec?: unknown; status?: unknown };
  // What a custom kind has is for its definition to say; nothing is made up.
  if (
    $case !== 'custom' &&
    (record.metadata === undefined || ('spec' in record && !record.spec) || ('status' in record && !record.status))
  ) {
    const empty = builtinKinds
      .of(resource.object)
      .message.fromJSON({ metadata: {}, spec: {}, status: {} }) as typeof record;
    for (const key of ['metadata', 'spec', 'status'] as const) {
      if (key in record && record[key] === undefined) Object.assign(record, { [key]: empty[key] });
    }
  }
  if (record.metadata !== undefined) {
    record.metadata.resourceVersion = resource.revision === 0n ? '' : resource.revision.toString();
  }
  return record as Live<T>;
}
