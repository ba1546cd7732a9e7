import type { ClientWrite } from '@navarch/client';
import type { KindDefinition } from '@navarch/kinds';
import type { KubeObject } from '@navarch/machinery';
import { DeleteRequest_Propagation, type ObjectMeta, type OwnerReference } from '@navarch/proto';
import { nothingToDo, type Plan, type PlannedEvent } from '../plan.ts';

export interface GarbageObserved {
  readonly kind: KindDefinition;
  readonly object: KubeObject & { readonly metadata: ObjectMeta };
  /** What is known of each owner, in the order of the references. */
  readonly owners: readonly OwnerState[];
  /** Objects that name this one as an owner. */
  readonly dependents: readonly Dependent[];
}

export interface OwnerState {
  readonly reference: OwnerReference;
  /**
   * 'waiting' is there, for its dependents to go. 'misplaced' is in another namespace, where it owns nothing here: as good
   * as absent. Of 'unknown' kinds, which this version of the cluster doesn't know, and 'unresolvable' owners, which live in
   * a namespace when the object lives in none, nobody can say whether they are there.
   */
  readonly state: 'present' | 'waiting' | 'absent' | 'misplaced' | 'unknown' | 'unresolvable';
}

export interface Dependent {
  readonly kind: KindDefinition;
  readonly object: KubeObject & { readonly metadata: ObjectMeta };
  /** Whether it owns something in turn: then it, too, waits for that. */
  readonly isOwner: boolean;
  /** Whether something that it owns waits for its own dependents: a circle, when this is one of them. */
  readonly ownsWaiting: boolean;
}

/** Whether the object is on its way out, but for its dependents. */
export function isWaiting({ metadata }: Dependent['object']): boolean {
  return metadata.deletionTimestamp !== '' && metadata.finalizers.includes(foregroundFinalizer);
}

export const foregroundFinalizer = 'foregroundDeletion';
export const orphanFinalizer = 'orphan';

/**
 * What becomes of an object when its owners go, and what it waits for when it goes itself. An object whose owners have
 * all gone is deleted; one that keeps an owner only loses the references to the others. Foreground deletion waits for the
 * dependents that block it, orphaning cuts them loose. Source:
 * https://kubernetes.io/docs/concepts/architecture/garbage-collection
 */
export function collectGarbage(observed: GarbageObserved): Plan {
  const { object } = observed;
  const { finalizers, deletionTimestamp } = object.metadata;
  if (deletionTimestamp !== '' && finalizers.includes(orphanFinalizer)) return orphan(observed);
  if (deletionTimestamp !== '' && finalizers.includes(foregroundFinalizer)) return deleteDependents(observed);
  return deletionTimestamp === '' ? followOwners(observed) : nothingToDo;
}

function followOwners({ kind, object, owners, dependents }: GarbageObserved): Plan {
  const gone = owners.filter(({ state }) => state === 'absent' || state === 'misplaced' || state === 'waiting');
  const events = misplacements(kind, object, owners);
  if (gone.length === 0) return { writes: [], events };
  if (gone.length < owners.length) {
    // An owner that waits for this object keeps it from going only as long as it is named.
    const ownerReferences = owners.filter((owner) => !gone.includes(owner)).map(({ reference }) => reference);
    return { writes: [update(kind, { ...object, metadata: { ...object.metadata, ownerReferences } })], events };
  }
  const waitedFor = gone.some(({ state }) => state === 'waiting');
  const ownsWaiting = dependents.some((dependent) => isWaiting(dependent.object));
  const write = waitedFor
    ? letGo({ kind, object, isOwner: dependents.length > 0, ownsWaiting })
    : remove(kind, object, DeleteRequest_Propagation.UNSPECIFIED);
  return { writes: [write], events };
}

/**
 * The next step of a dependent whose owner waits for it. One that owns something waits for that in turn; in a circle all
 * would wait for ever, so there it first stops blocking.
 */
function letGo({ kind, object, isOwner, ownsWaiting }: Dependent): ClientWrite {
  const { metadata } = object;
  const blocks = metadata.ownerReferences.some(({ blockOwnerDeletion }) => blockOwnerDeletion === true);
  if (ownsWaiting && blocks) {
    const ownerReferences = metadata.ownerReferences.map((reference) => ({ ...reference, blockOwnerDeletion: false }));
    return update(kind, { ...object, metadata: { ...metadata, ownerReferences } });
  }
  // Without a word about it, its own finalizers say what becomes of its dependents.
  return remove(kind, object, isOwner ? DeleteRequest_Propagation.FOREGROUND : DeleteRequest_Propagation.UNSPECIFIED);
}

/** Owners that are where they can't own the object, told as Kubernetes tells it. */
function misplacements(kind: KindDefinition, object: KubeObject, owners: readonly OwnerState[]): PlannedEvent[] {
  const namespace = object.metadata?.namespace ?? '';
  return owners
    .filter(({ state }) => state === 'misplaced' || state === 'unresolvable')
    .map(({ reference: { apiVersion, kind: ownerKind, name, uid } }) => ({
      kind,
      object,
      type: 'Warning',
      reason: 'OwnerRefInvalidNamespace',
      message: `ownerRef [${apiVersion}/${ownerKind}, namespace: ${namespace}, name: ${name}, uid: ${uid}] does not exist in namespace "${namespace}"`,
    }));
}

function deleteDependents({ kind, object, dependents }: GarbageObserved): Plan {
  const remaining = dependents.filter(({ object: { metadata } }) => metadata.deletionTimestamp === '');
  if (remaining.length > 0) {
    // Those with another owner are told by their own turn to drop this one.
    const writes = remaining.filter(({ object: { metadata } }) => metadata.ownerReferences.length === 1).map(letGo);
    if (writes.length > 0) return { writes, events: [] };
  }
  const blocks = ({ uid, blockOwnerDeletion }: OwnerReference) =>
    uid === object.metadata.uid && blockOwnerDeletion === true;
  if (dependents.some(({ object: { metadata } }) => metadata.ownerReferences.some(blocks))) return nothingToDo;
  return { writes: [withoutFinalizer(kind, object, foregroundFinalizer)], events: [] };
}

function orphan({ kind, object, dependents }: GarbageObserved): Plan {
  const { uid } = object.metadata;
  if (dependents.length === 0) return { writes: [withoutFinalizer(kind, object, orphanFinalizer)], events: [] };
  const writes = dependents.map((dependent) => {
    const { metadata } = dependent.object;
    const ownerReferences = metadata.ownerReferences.filter((reference) => reference.uid !== uid);
    return update(dependent.kind, { ...dependent.object, metadata: { ...metadata, ownerReferences } });
  });
  return { writes, events: [] };
}

function withoutFinalizer(kind: KindDefinition, object: GarbageObserved['object'], finalizer: string): ClientWrite {
  const finalizers = object.metadata.finalizers.filter((name) => name !== finalizer);
  return update(kind, { ...object, metadata: { ...object.metadata, finalizers } });
}

function update(kind: KindDefinition, object: KubeObject): ClientWrite {
  return { type: 'update', kind, object };
}

function remove(
  kind: KindDefinition,
  { metadata }: Dependent['object'],
  propagation: DeleteRequest_Propagation,
): ClientWrite {
  const { namespace, name, uid, resourceVersion } = metadata;
  // Only this version: between the look and the deletion it may have gained an owner.
  return { type: 'delete', kind, key: { namespace, name }, options: { uid, resourceVersion, propagation } };
}
