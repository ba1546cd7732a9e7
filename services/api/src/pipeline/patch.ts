import { type Kinds, manifest, pod } from '@navarch/kinds';
import {
  ApiError,
  type Json,
  type JsonObject,
  jsonPatch,
  type MessageSchema,
  mergePatch,
  messageSchema,
  strategicMerge,
} from '@navarch/machinery';
import { type PatchRequest, PatchRequest_Type, Scale } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import { describe, kindNamed, namespaceOf } from '../read/resource-name.ts';
import type { FieldPolicy } from './field-policy.ts';
import { objectFromManifest, parseJson } from './manifest-json.ts';
import type { WritableObject } from './object-rules.ts';
import { type Author, checkManager } from './owners.ts';
import { replicasIn, scaleManifest, scaleOf, withReplicas } from './scale.ts';
import { changeWrite } from './update.ts';
import type { Write } from './write.ts';

/** Changes parts of an object's manifest. */
export function patchWrite(kinds: Kinds, request: PatchRequest, policy: FieldPolicy): Write {
  const { subresource, revision, name } = request;
  const kind = kindNamed(kinds, request.resource);
  const namespace = namespaceOf(kind, request.namespace);
  if (name === '') throw new ApiError('BadRequest', 'name must be set');
  const door = subresource === 'ephemeralcontainers' && kind.case === pod.case ? subresource : undefined;
  if (subresource !== '' && subresource !== 'status' && subresource !== 'scale' && door === undefined) {
    const known = `empty, "status" or "scale"${kind.case === pod.case ? ' or "ephemeralcontainers"' : ''}`;
    throw new ApiError('BadRequest', `subresource must be ${known}, not "${subresource}"`);
  }
  if (subresource === 'status' && !kind.hasStatus) throw new ApiError('BadRequest', `${kind.plural} have no status`);
  const author: Author = {
    manager: checkManager(request.fieldManager),
    subresource: subresource === 'status' ? 'status' : '',
    door,
  };
  const patch = parseJson(request.patch, 'patch', policy);
  const schema = subresource === 'scale' ? messageSchema(Scale.$type) : kind.schema;
  const apply = (target: JsonObject) => applyPatch(request.type, patch, target, schema);
  return changeWrite(kind, { namespace, name, uid: '', revision }, author, (copy, cached) => {
    if (subresource === 'scale') {
      return withReplicas(kinds, kind, copy, replicasIn(apply(scaleManifest(scaleOf(kind, copy, cached.revision)))));
    }
    const patched = checkedObject(objectFromManifest(kinds, apply(manifest(kind, cached.object)), policy), cached);
    if (subresource === 'status') return { ...copy, status: patched.status };
    return { ...patched, ...(kind.hasStatus ? { status: copy.status } : {}) };
  });
}

function checkedObject(result: ReturnType<typeof objectFromManifest>, cached: CachedObject): WritableObject {
  const { kind, namespace, name, object, revision } = cached;
  const { metadata } = result.object;
  const isOther = result.kind.apiVersion !== kind.apiVersion || result.kind.kind !== kind.kind;
  if (isOther || metadata?.name !== name || metadata.namespace !== namespace) {
    throw new ApiError('BadRequest', `a patch can not make another object of ${describe(kind, namespace, name)}`);
  }
  if (metadata.uid !== object.metadata.uid || metadata.resourceVersion !== String(revision)) {
    throw new ApiError(
      'Conflict',
      `the patch is for another version of ${describe(kind, namespace, name)}: metadata.resourceVersion is ${revision}, metadata.uid ${object.metadata.uid}`,
    );
  }
  kind.unify?.(result.object);
  return { ...result.object, metadata };
}

function applyPatch(type: PatchRequest['type'], patch: Json, target: JsonObject, schema: MessageSchema): Json {
  switch (type) {
    case PatchRequest_Type.JSON:
      return jsonPatch(target, patch);
    case PatchRequest_Type.MERGE:
      return mergePatch(target, objectPatch(patch));
    case PatchRequest_Type.STRATEGIC:
      return strategicMerge(schema, target, objectPatch(patch));
    default:
      throw new ApiError('BadRequest', 'type must say how the patch is written: MERGE, JSON or STRATEGIC');
  }
}

function objectPatch(patch: Json): JsonObject {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    throw new ApiError('BadRequest', 'a merge patch must be a JSON object');
  }
  return patch;
}
