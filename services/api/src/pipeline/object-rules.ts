import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { type KindDefinition, nameProblem, type ResourceCase } from '@navarch/kinds';
import { ApiError, type FieldError, type KubeObject, validateImmutable, validateObject } from '@navarch/machinery';
import type { Resource } from '@navarch/proto';
import { ObjectMeta, Resource as ResourceCodec } from '@navarch/proto';
import { describe } from '../read/resource-name.ts';
import { readVarint } from '../wire/varint.ts';
import { factsOf } from './shared-specs.ts';

/** An object on its way through the pipeline: the writer's own copy. Every kind's message has this shape. */
export interface WritableObject {
  metadata: ObjectMeta;
  spec?: unknown;
  status?: unknown;
}

/** etcd takes 1.5 MiB a request; an object has to leave room for what goes with it. */
export const maxObjectBytes = 1024 * 1024;

/** Labels and annotations are for small facts: as in Kubernetes, all annotations together have a limit of their own. */
const maxAnnotationBytes = 256 * 1024;

/** Everything in one object that breaks a rule. A spec that it shares with an object that was right is not looked at again. */
export function objectErrors(kind: KindDefinition, object: WritableObject): FieldError[] {
  const facts = factsOf(object.spec);
  if (facts?.sound === true) {
    // What is shared is an object.
    return [...metadataErrors(kind, object.metadata), ...validateObject(kind.schema, object, object.spec as object)];
  }
  const errors = [
    ...metadataErrors(kind, object.metadata),
    ...validateObject(kind.schema, object),
    ...(kind.validate?.(object) ?? []),
  ];
  if (facts !== undefined && errors.length === 0) facts.sound = true;
  return errors;
}

/** Everything about the step from one version of an object to the next that breaks a rule. */
export function updateErrors(kind: KindDefinition, next: WritableObject, previous: KubeObject): FieldError[] {
  return [...validateImmutable(kind.schema, next, previous), ...(kind.validateUpdate?.(next, previous) ?? [])];
}

/** Throws Invalid when there are errors. */
export function refuse(kind: KindDefinition, { namespace, name }: ObjectMeta, errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  const shown = errors.slice(0, 20);
  const list = shown.map(({ path, message }) => `${path}: ${message}`).join('; ');
  const more = errors.length > shown.length ? `; and ${errors.length - shown.length} more` : '';
  throw new ApiError('Invalid', `${describe(kind, namespace, name)} is invalid: ${list}${more}`, { fields: shown });
}

/** The encoded Resource without revision. Throws RequestEntityTooLarge. */
export function encodeBody(kind: KindDefinition, object: WritableObject): Uint8Array {
  const body = encode(kind, object);
  if (body.length > maxObjectBytes) {
    const { namespace, name } = object.metadata;
    throw new ApiError(
      'RequestEntityTooLarge',
      `${describe(kind, namespace, name)} takes ${body.length} bytes; an object must not be larger than ${maxObjectBytes}`,
    );
  }
  return body;
}

/** What an object is in all but metadata and status. */
export function encodeContent(kind: KindDefinition, object: object): Uint8Array {
  const bare = { ...object, metadata: undefined, ...(kind.hasStatus ? { status: undefined } : {}) };
  return kind.message.encode(bare).finish();
}

/** One for all objects, because its buffer has grown to their size already: growing one takes a third of the time. */
const writer = new BinaryWriter();

function encode(kind: KindDefinition, object: WritableObject): Uint8Array {
  const facts = factsOf(object.spec);
  try {
    // Status stands behind the spec.
    if (facts === undefined || object.status !== undefined) return encodeWhole(kind, object);
    facts.encoded ??= kind.message.encode({ spec: object.spec } as KubeObject).finish();
    writer.uint32(objectTag(kind)).fork().uint32(metadataTag).fork();
    ObjectMeta.encode(object.metadata, writer).join();
    return writer.raw(facts.encoded).join().finish();
  } catch (error) {
    // Of an object that can't be encoded nothing must stay in it.
    writer.finish();
    throw error;
  }
}

function encodeWhole(kind: KindDefinition, object: object): Uint8Array {
  // The kind's case and message type belong together, which the types of a definition do not say.
  const resource = { revision: 0n, object: { $case: kind.case, value: object } } as unknown as Resource;
  return ResourceCodec.encode(resource, writer).finish();
}

/** `metadata` is field 1 of every kind's message. */
const metadataTag = 1 * 8 + 2;

const objectTags = new Map<ResourceCase, number>();

/** What an object of the kind begins with in an encoded Resource. */
function objectTag(kind: KindDefinition): number {
  let tag = objectTags.get(kind.case);
  if (tag === undefined) {
    tag = readVarint(encodeWhole(kind, kind.message.fromJSON({})), 0).value;
    objectTags.set(kind.case, tag);
  }
  return tag;
}

function metadataErrors(kind: KindDefinition, metadata: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [...lifeErrors(metadata)];
  const problem = metadata.name === '' ? 'must be set' : nameProblem(kind, metadata.name);
  if (problem !== undefined) errors.push({ path: 'metadata.name', message: problem });
  let bytes = 0;
  for (const [key, value] of Object.entries(metadata.annotations)) {
    bytes += key.length + Buffer.byteLength(value);
  }
  if (bytes > maxAnnotationBytes) {
    errors.push({
      path: 'metadata.annotations',
      message: `must hold at most ${maxAnnotationBytes} bytes, not ${bytes}`,
    });
  }
  return errors;
}

/** Sources: Kubernetes' ValidateFinalizers and ValidateOwnerReferences. */
function* lifeErrors({ finalizers, ownerReferences }: ObjectMeta): Iterable<FieldError> {
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    yield {
      path: 'metadata.finalizers',
      message: 'orphan and foregroundDeletion exclude each other: dependents stay or go',
    };
  }
  let manager: string | undefined;
  for (const [index, { apiVersion, kind, name, controller }] of ownerReferences.entries()) {
    const path = `metadata.ownerReferences[${index}]`;
    if (kind === 'Event' && (apiVersion === 'v1' || apiVersion.startsWith('events.k8s.io/'))) {
      yield { path, message: 'an Event can not own anything' };
    }
    if (controller !== true) continue;
    if (manager !== undefined) {
      yield { path: `${path}.controller`, message: `only one owner can manage an object, and ${manager} does already` };
    }
    manager ??= `${kind} "${name}"`;
  }
}
