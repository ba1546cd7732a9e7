import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { KindDefinition } from '@navarch/kinds';
import {
  ApiError,
  type FieldError,
  formatProblem,
  type KubeObject,
  validateImmutable,
  validateObject,
} from '@navarch/machinery';
import type { ObjectMeta, Resource } from '@navarch/proto';
import { Resource as ResourceCodec } from '@navarch/proto';
import { describe } from '../read/resource-name.ts';

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

const nameFormats = { label: 'DNS_LABEL', label1035: 'DNS_LABEL_1035', subdomain: 'DNS_SUBDOMAIN' } as const;

/** Everything in one object that breaks a rule. */
export function objectErrors(kind: KindDefinition, object: WritableObject): FieldError[] {
  return [
    ...metadataErrors(kind, object.metadata),
    ...validateObject(kind.schema, object),
    ...(kind.validate?.(object) ?? []),
  ];
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
  // The kind's case and message type belong together, which the types of a definition do not say.
  const resource = { revision: 0n, object: { $case: kind.case, value: object } } as unknown as Resource;
  const body = encode(resource);
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

function encode(resource: Resource): Uint8Array {
  try {
    return ResourceCodec.encode(resource, writer).finish();
  } catch (error) {
    // Of an object that can't be encoded nothing must stay in it.
    writer.finish();
    throw error;
  }
}

function metadataErrors(kind: KindDefinition, metadata: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [...lifeErrors(metadata)];
  const problem = metadata.name === '' ? 'must be set' : formatProblem(nameFormats[kind.nameFormat], metadata.name);
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
