import type { KindDefinition } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import type { ManagedFieldsEntry } from '@navarch/proto';
import type { CachedObject, ReadonlyObject } from '../cache/cached-object.ts';
import { seal } from '../storage/envelope.ts';
import { complete, judge } from './admission/chain.ts';
import { asItWas, copyOf, current, leftAsItIs, type Precondition } from './current.ts';
import type { Incoming } from './incoming.ts';
import { encodeBody, encodeContent, type WritableObject } from './object-rules.ts';
import { type Author, nobody, ownersAfter } from './owners.ts';
import { readyToGo, removal } from './removal.ts';
import type { Circumstances, Prepared, Write } from './write.ts';

/** Replaces everything but status. */
export function updateWrite(request: Incoming): Write {
  return replacement(request, '', (previous) => ({
    ...request.object,
    ...(request.kind.hasStatus ? { status: previous.status } : {}),
  }));
}

/** Replaces status and nothing else. */
export function updateStatusWrite(request: Incoming): Write {
  const { kind, object } = request;
  if (!kind.hasStatus) throw new ApiError('BadRequest', `${kind.plural} have no status`);
  return replacement(request, 'status', (previous) => ({ ...previous, status: object.status }));
}

function replacement(
  { kind, object, revision, manager }: Incoming,
  subresource: Author['subresource'],
  replace: (previous: WritableObject) => WritableObject,
): Write {
  const { namespace, name, uid } = object.metadata;
  if (name === '') throw new ApiError('BadRequest', 'metadata.name must be set');
  return changeWrite(kind, { namespace, name, uid, revision }, { manager, subresource }, replace);
}

/** A change of an object that is there. `change` makes the new version from a copy of the current one. */
export function changeWrite(
  kind: KindDefinition,
  wanted: Precondition,
  author: Author,
  change: (copy: WritableObject, cached: CachedObject) => WritableObject,
): Write {
  const { namespace, name } = wanted;
  return {
    kind,
    namespace,
    name,
    prepare: (circumstances) => {
      const cached = current(circumstances.view, kind, wanted);
      return prepareChange(circumstances, cached, change(copyOf(cached), cached), author);
    },
  };
}

/**
 * What it takes to put `proposed` in the place of `cached`. Changes `proposed`. `owners` says who has which fields then, or
 * who writes: what that changes becomes its own.
 */
export function prepareChange(
  circumstances: Circumstances,
  cached: CachedObject,
  proposed: WritableObject,
  owners: Author | ManagedFieldsEntry[] = nobody,
): Prepared {
  const { kind, key } = cached;
  const next: WritableObject = { ...proposed, metadata: keptMetadata(proposed, cached.object) };
  const door = Array.isArray(owners) ? undefined : owners.door;
  const step = { circumstances, kind, next, previous: cached, door };
  const completed = complete(step);
  const changed = Buffer.compare(encodeContent(kind, next), encodeContent(kind, cached.object)) !== 0;
  if (changed) next.metadata.generation++;
  if (Array.isArray(owners)) next.metadata.managedFields = owners;
  const unchanged = encodeBody(kind, next);
  if (cached.body.equals(unchanged)) return leftAsItIs(cached);
  const { compare, ops, others, taking } = judge(step, completed);
  if (!Array.isArray(owners)) next.metadata.managedFields = ownersAfter(cached, next, owners, circumstances);
  const body = next.metadata.managedFields.length === 0 ? unchanged : encodeBody(kind, next);
  if (readyToGo(kind, next)) return removal(circumstances, cached, body);
  return {
    key,
    compare: [asItWas(cached), ...compare],
    ops: [{ type: 'put', key, value: seal(body) }, ...ops],
    others,
    ...(taking && { taking }),
    body,
    revision: 0n,
    gone: false,
  };
}

/** What only the api sets stays as it is, whatever a writer sends for it. */
function keptMetadata(
  { metadata }: WritableObject,
  { metadata: previous }: ReadonlyObject,
): WritableObject['metadata'] {
  const { name, generateName, namespace, uid, generation, creationTimestamp } = previous;
  const { deletionTimestamp, deletionGracePeriodSeconds } = previous;
  const { managedFields } = previous;
  const kept = { name, generateName, namespace, uid, generation, creationTimestamp, managedFields: [...managedFields] };
  return { ...metadata, ...kept, deletionTimestamp, deletionGracePeriodSeconds, resourceVersion: '' };
}
