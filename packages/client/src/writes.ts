import { type KindDefinition, toResource } from '@navarch/kinds';
import type { KubeObject } from '@navarch/machinery';
import { type Binding, DeleteRequest, PatchRequest, type Write } from '@navarch/proto';
import type { ClientWrite, DeleteOptions, Key, PatchText } from './client.ts';

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
export function bindWrite(binding: Binding): ClientWrite {
  return { type: 'bind', binding };
}

export function toWrite(write: ClientWrite): Write {
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
    default:
      return write satisfies never;
  }
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
  };
}
