import { type KindDefinition, type Kinds, manifest, type ScalePaths } from '@navarch/kinds';
import {
  ApiError,
  encodeObject,
  formatLabelSelector,
  type Json,
  type JsonObject,
  messageSchema,
  parsePath,
} from '@navarch/machinery';
import { LabelSelector, ObjectMeta, Scale, type UpdateScaleRequest } from '@navarch/proto';
import type { ReadonlyObject } from '../cache/cached-object.ts';
import { describe, kindNamed, namespaceOf } from '../read/resource-name.ts';
import { strict } from './field-policy.ts';
import { normalize } from './incoming.ts';
import { objectFromManifest } from './manifest-json.ts';
import { refuse, type WritableObject } from './object-rules.ts';
import { type Author, checkManager } from './owners.ts';
import { changeWrite } from './update.ts';
import type { Write } from './write.ts';

/** How many replicas an object wants and has. Throws BadRequest when its kind has no such thing. */
export function scaleOf(kind: KindDefinition, object: ReadonlyObject, revision: bigint): Scale {
  const { specReplicas, statusReplicas, labelSelector } = scalePaths(kind);
  const json = manifest(kind, object);
  const { name, namespace, uid, creationTimestamp } = object.metadata;
  return {
    metadata: {
      ...ObjectMeta.fromJSON({ name, namespace, uid, creationTimestamp }),
      resourceVersion: revision.toString(),
    },
    spec: { replicas: numberAt(json, specReplicas) ?? 0 },
    status: {
      replicas: numberAt(json, statusReplicas) ?? 0,
      selector: labelSelector === undefined ? '' : selectorText(valueAt(json, labelSelector)),
    },
  };
}

/** Sets how many replicas an object wants, and nothing else. */
export function scaleWrite(kinds: Kinds, request: UpdateScaleRequest): Write {
  const { resource, scale, currentReplicas } = request;
  const author: Author = { manager: checkManager(request.fieldManager), subresource: '' };
  const kind = kindNamed(kinds, resource);
  const paths = scalePaths(kind);
  if (scale?.spec === undefined)
    throw new ApiError('BadRequest', 'scale.spec must be set, with the number of replicas');
  const { object, revision } = normalize(kind, { metadata: scale.metadata ?? ObjectMeta.fromJSON({}) }, 0n);
  const { name, uid } = object.metadata;
  if (name === '') throw new ApiError('BadRequest', 'scale.metadata.name must be set');
  const namespace = namespaceOf(kind, object.metadata.namespace);
  const { replicas } = scale.spec;
  return changeWrite(kind, { namespace, name, uid, revision }, author, (copy) => {
    const now = numberAt(manifest(kind, copy), paths.specReplicas) ?? 0;
    if (currentReplicas !== undefined && currentReplicas !== now) {
      throw new ApiError(
        'Conflict',
        `${describe(kind, namespace, name)} has ${now} replicas, not ${currentReplicas}: it is not scaled`,
      );
    }
    return withReplicas(kinds, kind, copy, replicas);
  });
}

/** The object with another number of replicas. Throws Invalid when that is none. */
export function withReplicas(
  kinds: Kinds,
  kind: KindDefinition,
  copy: WritableObject,
  replicas: number,
): WritableObject {
  const { specReplicas } = scalePaths(kind);
  if (replicas < 0) {
    refuse(kind, copy.metadata, [{ path: specReplicas, message: `must be 0 or more, not ${replicas}` }]);
  }
  const scaled = withValueAt(manifest(kind, copy), parsePath(specReplicas), replicas);
  const { object } = objectFromManifest(kinds, scaled, strict);
  return { ...copy, ...object, metadata: copy.metadata, ...(kind.hasStatus ? { status: copy.status } : {}) };
}

/** A Scale as what a patch changes. */
export function scaleManifest(scale: Scale): JsonObject {
  return { apiVersion: 'autoscaling/v1', kind: 'Scale', ...encodeObject(messageSchema(Scale.$type), scale) };
}

/** The number in a Scale that was patched. Throws Invalid when it is not one. */
export function replicasIn(patched: Json): number {
  const replicas = isObject(patched) ? (valueAt(patched, 'spec.replicas') ?? 0) : undefined;
  if (typeof replicas === 'number' && Number.isInteger(replicas) && Math.abs(replicas) < 2 ** 31) return replicas;
  throw new ApiError('Invalid', 'the patched scale is invalid: spec.replicas: must be a whole number', {
    fields: [{ path: 'spec.replicas', message: 'must be a whole number' }],
  });
}

function scalePaths(kind: KindDefinition): ScalePaths {
  if (kind.scale === undefined) throw new ApiError('BadRequest', `${kind.plural} can not be scaled`);
  return kind.scale;
}

function valueAt(json: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = json;
  for (const step of parsePath(path)) value = isObject(value) ? value[step] : undefined;
  return value;
}

function numberAt(json: JsonObject, path: string): number | undefined {
  const value = valueAt(json, path);
  return typeof value === 'number' ? value : undefined;
}

function withValueAt(json: JsonObject, [step, ...more]: readonly (string | number)[], value: Json): JsonObject {
  if (step === undefined) return json;
  const inner = json[step];
  return { ...json, [step]: more.length === 0 ? value : withValueAt(isObject(inner) ? inner : {}, more, value) };
}

/** Kinds of the contract have a LabelSelector, custom kinds its text. */
function selectorText(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return isObject(value) ? formatLabelSelector(LabelSelector.fromJSON(value)) : '';
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
