import { builtinKinds, fromResource, type KindDefinition, type Kinds } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import { ObjectMeta, type Resource } from '@navarch/proto';
import { type WritableObject } from './object-rules.ts';

/** A write's object as it came, with what every write needs of it. */
export interface Incoming {
  readonly kind: KindDefinition;
  readonly object: WritableObject;
  /** Only this version may be replaced; 0n: any. */
  readonly revision: bigint;
}

/** The object of a request. Throws BadRequest when it is missing or contradicts itself. */
export function incoming(resource: Resource | undefined, kinds: Kinds = builtinKinds): Incoming {
  if (resource === undefined) throw new ApiError('BadRequest', 'resource must be set');
  if (resource.object?.$case === 'partial') {
    throw new ApiError('BadRequest', 'the resource holds only metadata: what is written must be the whole object');
  }
  const { kind, object } = fromResource(resource, kinds);
  return { kind, ...normalize(kind, object as WritableObject, resource.revision) };
}

/** Metadata is there, the namespace is right for the kind, and the revision stands in one place. */
export function normalize(
  kind: KindDefinition,
  object: Partial<WritableObject>,
  revision: bigint,
): { object: WritableObject; revision: bigint } {
  const metadata = object.metadata ?? ObjectMeta.fromJSON({});
  if (kind.scope === 'Cluster' && metadata.namespace !== '') {
    throw new ApiError('BadRequest', `metadata.namespace must be empty: ${kind.plural} live in no namespace`);
  }
  if (kind.scope === 'Namespaced' && metadata.namespace === '') metadata.namespace = 'default';
  const stated = metadata.resourceVersion;
  if (!/^\d{0,19}$/.test(stated)) {
    throw new ApiError('BadRequest', `metadata.resourceVersion must be what the api gave, not "${stated}"`);
  }
  const inside = stated === '' ? 0n : BigInt(stated);
  if (inside !== 0n && revision !== 0n && inside !== revision) {
    throw new ApiError(
      'BadRequest',
      `metadata.resourceVersion is ${inside}, but the revision of the resource is ${revision}`,
    );
  }
  return {
    object: { ...object, metadata: { ...metadata, resourceVersion: '' } },
    revision: revision === 0n ? inside : revision,
  };
}
