import type { ClientWrite } from '@navarch/client';
import { controllerOf, type KindDefinition } from '@navarch/kinds';
import type { KubeObject, Live } from '@navarch/machinery';
import type { ObjectMeta, OwnerReference } from '@navarch/proto';

type Owned = { readonly metadata: ObjectMeta };

export function isControlledBy(object: Owned, owner: Owned): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

/** A reference by which `owner` manages what it makes. */
export function controllerReference(kind: KindDefinition, owner: Owned): OwnerReference {
  const { name, uid } = owner.metadata;
  return { apiVersion: kind.apiVersion, kind: kind.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/**
 * What of `candidates` belongs to `owner`, and what has to change for that: an object without a manager that the
 * selector chooses is adopted, one that it no longer chooses is released. Nobody adopts while it is being deleted, nor
 * adopts what is. Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset (acquiring Pods).
 */
export function claim<T extends KubeObject>(
  owner: Owned,
  candidates: readonly Live<T>[],
  selects: (labels: Readonly<Record<string, string>>) => boolean,
): { readonly owned: readonly Live<T>[]; readonly adopt: readonly Live<T>[]; readonly release: readonly Live<T>[] } {
  const owned: Live<T>[] = [];
  const adopt: Live<T>[] = [];
  const release: Live<T>[] = [];
  const ownerGoing = owner.metadata.deletionTimestamp !== '';
  for (const candidate of candidates) {
    const metadata = metadataOf(candidate);
    const manager = controllerOf({ metadata });
    const chosen = selects(metadata.labels);
    if (manager?.uid === owner.metadata.uid) {
      if (chosen || ownerGoing) owned.push(candidate);
      else if (metadata.deletionTimestamp === '') release.push(candidate);
    } else if (manager === undefined && chosen && !ownerGoing && metadata.deletionTimestamp === '') {
      adopt.push(candidate);
    }
  }
  return { owned, adopt, release };
}

/** One update for each child of `kind` that `claim` found to be adopted or released. */
export function claimWrites<T extends KubeObject>(
  kind: KindDefinition<T>,
  by: { readonly kind: KindDefinition; readonly owner: Owned },
  { adopt, release }: { readonly adopt: readonly Live<T>[]; readonly release: readonly Live<T>[] },
): ClientWrite[] {
  const reference = controllerReference(by.kind, by.owner);
  const update = (
    object: Live<T>,
    change: (references: readonly OwnerReference[]) => OwnerReference[],
  ): ClientWrite => {
    const metadata = metadataOf(object);
    const ownerReferences = change(metadata.ownerReferences);
    return { type: 'update', kind, object: { ...object, metadata: { ...metadata, ownerReferences } } };
  };
  return [
    ...adopt.map((each) => update(each, (references) => [...references, reference])),
    ...release.map((each) => update(each, (references) => references.filter(({ uid }) => uid !== reference.uid))),
  ];
}

/** What Live promises, which TypeScript can't see for a type that is still open. */
export function metadataOf(object: KubeObject): ObjectMeta {
  if (object.metadata === undefined) throw new TypeError('an object from a cache has no metadata');
  return object.metadata;
}
