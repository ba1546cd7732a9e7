import { type KindDefinition, type Kinds, namespace as namespaceKind } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import { type DeleteRequest, DeleteRequest_Propagation, Namespace } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import { kindNamed, namespaceOf } from '../read/resource-name.ts';
import { seal } from '../storage/envelope.ts';
import { asItWas, copyOf, current, leftAsItIs } from './current.ts';
import { encodeBody, type WritableObject } from './object-rules.ts';
import { readyToGo, removal } from './removal.ts';
import { systemNamespaces } from './system-namespaces.ts';
import type { Circumstances, Prepared, Write } from './write.ts';

/** The garbage collector works these off. */
const foregroundFinalizer = 'foregroundDeletion';
const orphanFinalizer = 'orphan';

export type DeleteOptions = Pick<DeleteRequest, 'gracePeriodSeconds' | 'propagation'>;

/** Asks an object to go: at once, or after its grace period and its finalizers. Asking again can only shorten that. */
export function deleteWrite(kinds: Kinds, request: DeleteRequest): Write {
  const kind = kindNamed(kinds, request.resource);
  const namespace = namespaceOf(kind, request.namespace);
  const { name, uid, revision } = request;
  if (name === '') throw new ApiError('BadRequest', 'name must be set');
  checkDeletion(request);
  if (kind.case === namespaceKind.case && systemNamespaces.includes(name)) {
    throw new ApiError('Forbidden', `namespace "${name}" is needed by the cluster and can not be deleted`);
  }
  return {
    kind,
    namespace,
    name,
    prepare: (circumstances) => {
      const cached = current(circumstances.view, kind, { namespace, name, uid, revision });
      return prepareDelete(circumstances, cached, copyOf(cached), request);
    },
  };
}

/** Asks `copy`, which stands for `cached`, to go. Changes it. */
export function prepareDelete(
  circumstances: Circumstances,
  cached: CachedObject,
  copy: WritableObject,
  options: DeleteOptions,
): Prepared {
  const { kind, key } = cached;
  const next = markDeleted(kind, copy, options, circumstances.now);
  const body = encodeBody(kind, next);
  if (readyToGo(kind, next)) return removal(circumstances, cached, body);
  if (cached.body.equals(body)) return leftAsItIs(cached);
  return {
    key,
    compare: [asItWas(cached)],
    ops: [{ type: 'put', key, value: seal(body) }],
    body,
    revision: 0n,
    gone: false,
  };
}

/** Throws BadRequest when nothing can be deleted so. */
export function checkDeletion({ gracePeriodSeconds: seconds, propagation }: DeleteOptions): void {
  if (seconds !== undefined && seconds < 0) {
    throw new ApiError('BadRequest', `grace_period_seconds must be 0 or more, not ${seconds}`);
  }
  if (propagation < 0 || propagation > DeleteRequest_Propagation.ORPHAN) {
    throw new ApiError('BadRequest', 'propagation must be BACKGROUND, FOREGROUND or ORPHAN');
  }
}

/** The object as one that was asked to go. Changes `object`. */
export function markDeleted(
  kind: KindDefinition,
  object: WritableObject,
  { gracePeriodSeconds, propagation }: DeleteOptions,
  now: string,
): WritableObject {
  const { metadata } = object;
  const usual = kind.gracePeriodSeconds?.(object) ?? 0;
  // Where nobody has to end the object, there is nothing to be patient for.
  const grace = usual === 0 ? 0 : (gracePeriodSeconds ?? usual);
  if (metadata.deletionTimestamp === '') {
    metadata.deletionTimestamp = now;
    metadata.deletionGracePeriodSeconds = grace;
    metadata.generation++;
    metadata.finalizers = finalizersFor(metadata.finalizers, propagation);
  } else {
    const before = metadata.deletionGracePeriodSeconds ?? 0;
    // Without a wish of its own, a second request does not disturb the first.
    const now = gracePeriodSeconds === undefined ? before : Math.min(before, grace);
    metadata.deletionGracePeriodSeconds = now;
    // As in Kubernetes, what becomes of its dependents can still be said, but for an object that somebody is ending.
    if (before === 0 || now < before) metadata.finalizers = finalizersFor(metadata.finalizers, propagation);
  }
  if (kind.case === namespaceKind.case) {
    const status = Namespace.fromJSON({ status: { phase: 'Terminating' } }).status;
    object.status = { ...status, ...(object.status as object | undefined), phase: 'Terminating' };
  }
  return object;
}

function finalizersFor(present: readonly string[], propagation: DeleteRequest['propagation']): string[] {
  const others = present.filter((name) => name !== foregroundFinalizer && name !== orphanFinalizer);
  switch (propagation) {
    case DeleteRequest_Propagation.FOREGROUND:
      return [...others, foregroundFinalizer];
    case DeleteRequest_Propagation.ORPHAN:
      return [...others, orphanFinalizer];
    case DeleteRequest_Propagation.BACKGROUND:
      return others;
    default:
      return [...present];
  }
}
