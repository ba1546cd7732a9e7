import { type KindDefinition, toResource } from '@navarch/kinds';
import type { KubeObject } from '@navarch/machinery';
import {
  ApplyRequest,
  type Binding,
  Check,
  type DeleteRequest,
  Eviction,
  ObjectMeta,
  type PatchRequest,
  type UpdateScaleRequest,
  type Write,
} from '@navarch/proto';
import type {
  ApplyFields,
  AtomicWrite,
  ClientWrite,
  DeleteOptions,
  EvictionOf,
  Key,
  PatchText,
  ScaleOptions,
} from './client.ts';

/** Makes an object. */
export function createWrite<T extends KubeObject>(kind: KindDefinition<T>, object: T): ClientWrite {
  return { type: 'create', kind, object };
}

/** Replaces all of an object but its status. */
export function updateWrite<T extends KubeObject>(kind: KindDefinition<T>, object: T): ClientWrite {
  return { type: 'update', kind, object };
}

/** Replaces an object's status and nothing else. */
export function updateStatusWrite<T extends KubeObject>(kind: KindDefinition<T>, object: T): ClientWrite {
  return { type: 'updateStatus', kind, object };
}

export function patchWrite(kind: KindDefinition, key: Key, patch: PatchText): ClientWrite {
  return { type: 'patch', kind, key, patch };
}

export function deleteWrite(kind: KindDefinition, key: Key, options: DeleteOptions = {}): ClientWrite {
  return { type: 'delete', kind, key, options };
}

/** Puts a Pod on a node. */
export function bindWrite(binding: Omit<Binding, 'decidedAt'> & Partial<Binding>): ClientWrite {
  return { type: 'bind', binding: { decidedAt: 0n, ...binding } };
}

export function toWrite(write: AtomicWrite): Write {
  switch (write.type) {
    case 'create':
    case 'update':
    case 'updateStatus':
      return { write: { $case: write.type, value: toResource(write.kind, write.object) } };
    case 'delete':
      return { write: { $case: 'delete', value: toDeleteRequest(write.kind, write.key, write.options) } };
    case 'bind':
      return { write: { $case: 'bind', value: write.binding } };
    case 'patch':
      return { write: { $case: 'patch', value: toPatchRequest(write.kind, write.key, write.patch) } };
    case 'apply':
      return { write: { $case: 'apply', value: toApplyRequest(write.manifestJson, write.options) } };
    case 'evict':
      return { write: { $case: 'evict', value: { ...Eviction.fromJSON({}), ...write.eviction } } };
    case 'scale': {
      const { kind, key, replicas, options } = write;
      return { write: { $case: 'scale', value: toUpdateScaleRequest(kind, key, replicas, options) } };
    }
    case 'check': {
      const { kind, key, is } = write;
      const named = { resource: kind.resource, namespace: key.namespace ?? '', name: key.name };
      return { write: { $case: 'check', value: { ...Check.fromJSON({}), ...is, ...named } } };
    }
    default:
      return write satisfies never;
  }
}

/** Makes real what a manifest says. */
export function applyWrite(manifestJson: string, options: ApplyFields = {}): AtomicWrite {
  return { type: 'apply', manifestJson, options };
}

/** Asks a Pod to go so that its node can be emptied. */
export function evictWrite(eviction: EvictionOf): AtomicWrite {
  return { type: 'evict', eviction };
}

/** Sets how many replicas an object wants, and nothing else. */
export function scaleWrite(
  kind: KindDefinition,
  key: Key,
  replicas: number,
  options: Omit<ScaleOptions, 'fence' | 'dryRun'> = {},
): AtomicWrite {
  return { type: 'scale', kind, key, replicas, options };
}

/** Changes nothing: a condition for the other writes of an atomic transaction. */
export function checkWrite(kind: KindDefinition, key: Key, is: Partial<Check>): AtomicWrite {
  return { type: 'check', kind, key, is };
}

export function toApplyRequest(manifest: string, options: ApplyFields = {}): ApplyRequest {
  const { namespace = '', force = false, subresource = '', fieldValidation = 0 } = options;
  return { ...ApplyRequest.fromJSON({}), manifest, namespace, force, subresource, fieldValidation };
}

export function toUpdateScaleRequest(
  kind: KindDefinition,
  key: Key,
  replicas: number,
  options: ScaleOptions = {},
): UpdateScaleRequest {
  const { uid = '', resourceVersion = '', currentReplicas, fence, dryRun = false, fieldManager = '' } = options;
  const metadata = ObjectMeta.fromJSON({ name: key.name, namespace: key.namespace ?? '', uid, resourceVersion });
  const scale = { metadata, spec: { replicas }, status: undefined };
  return { resource: kind.resource, scale, currentReplicas, fence, dryRun, fieldManager };
}

export function toDeleteRequest(kind: KindDefinition, key: Key, options: DeleteOptions = {}): DeleteRequest {
  const { gracePeriodSeconds, propagation = 0, uid = '', resourceVersion = '', fence, dryRun = false } = options;
  return {
    resource: kind.resource,
    namespace: key.namespace ?? '',
    name: key.name,
    gracePeriodSeconds,
    propagation,
    uid,
    revision: BigInt(resourceVersion),
    fence,
    dryRun,
  };
}

export function toPatchRequest(kind: KindDefinition, key: Key, patch: PatchText): PatchRequest {
  return {
    resource: kind.resource,
    namespace: key.namespace ?? '',
    name: key.name,
    type: patch.type,
    patch: patch.patch,
    subresource: patch.subresource ?? '',
    revision: BigInt(patch.resourceVersion ?? ''),
    fence: undefined,
    dryRun: false,
    fieldManager: '',
    fieldValidation: 0,
  };
}
