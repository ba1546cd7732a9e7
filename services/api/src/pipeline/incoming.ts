import { builtinKinds, fromResource, type KindDefinition, type Kinds } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import { ObjectMeta, type Resource } from '@navarch/proto';
import type { FieldPolicy } from './field-policy.ts';
import { objectFromManifest, parseJson } from './manifest-json.ts';
import { type WritableObject } from './object-rules.ts';
import { checkManager } from './owners.ts';

/** A write's object as it came, with what every write needs of it. */
export interface Incoming {
  readonly kind: KindDefinition;
  readonly object: WritableObject;
  /** Only this version may be replaced; 0n: any. */
  readonly revision: bigint;
  /** Who writes; '' when that is not said. */
  readonly manager: string;
}

/** What create and update requests have in common. */
interface ObjectRequest {
  readonly resource: Resource | undefined;
  readonly manifest: string;
  readonly fieldManager: string;
}

/** The object of a request, which has it as it is or as a manifest. Throws BadRequest, and Invalid for a manifest. */
export function requested(kinds: Kinds, request: ObjectRequest, policy: FieldPolicy): Incoming {
  const { resource, manifest, fieldManager } = request;
  if (manifest === '') return incoming(resource, kinds, fieldManager);
  if (resource !== undefined) throw new ApiError('BadRequest', 'resource and manifest exclude each other');
  const { kind, object } = objectFromManifest(kinds, parseJson(manifest, 'manifest', policy), policy);
  return { kind, ...normalize(kind, object, 0n), manager: checkManager(fieldManager) };
}

/** The object of a request. Throws BadRequest when it is missing or contradicts itself. */
export function incoming(resource: Resource | undefined, kinds: Kinds = builtinKinds, manager = ''): Incoming {
  if (resource === undefined) throw new ApiError('BadRequest', 'resource must be set');
  if (resource.object?.$case === 'partial') {
    throw new ApiError('BadRequest', 'the resource holds only metadata: what is written must be the whole object');
  }
  const { kind, object } = fromResource(resource, kinds);
  return { kind, ...normalize(kind, object as WritableObject, resource.revision), manager: checkManager(manager) };
}

/** Metadata is there, the namespace is right for the kind, and the revision stands in one place. */
export function normalize(
  kind: KindDefinition,
  object: Partial<WritableObject>,
  revision: bigint,
): { object: WritableObject; revision: bigint } {
  const metadata = object.metadata ?? ObjectMeta.fromJSON({});
  kind.unify?.(object);
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
