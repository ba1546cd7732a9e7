import type { Lister } from '@navarch/client';
import type { Controller, RunnerInformers, Source } from '@navarch/controller';
import type { KindDefinition, Kinds } from '@navarch/kinds';
import { isApiError, type KubeObject, keyOf, keyString, parseKey } from '@navarch/machinery';
import type { ObjectMeta, OwnerReference } from '@navarch/proto';
import { byOwner } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { metadataOf } from '../ownership.ts';
import { collectGarbage, type Dependent, isWaiting, type OwnerState } from './reconcile.ts';

/** How many owners are remembered as gone. */
const mostAbsent = 1000;

/**
 * Deletes what belongs to objects that are gone. Keys are `<resource> <namespace>/<name>`. `stored` are the kinds whose objects
 * are looked after: their caches' owner indexes must have been added. Owners are of any of `kinds`.
 */
export function garbageController(
  informers: RunnerInformers,
  kinds: Kinds,
  stored: readonly KindDefinition[],
  hands: Hands,
): Controller {
  const listers = stored.map((kind): { kind: KindDefinition; lister: Lister<KubeObject> } => ({
    kind,
    lister: informers.lister(kind),
  }));
  const cacheOf = (kind: KindDefinition) => listers.find((entry) => entry.kind.place === kind.place)?.lister;
  const owned = (uid: string) =>
    listers.flatMap(({ kind, lister }) =>
      lister.byIndex(byOwner, uid).map((object) => ({ kind, object: withMetadata(object) })),
    );
  // An object that owns itself has nothing of that.
  const dependentsOf = (uid: string): readonly Dependent[] =>
    owned(uid)
      .filter(({ object }) => object.metadata.uid !== uid)
      .map((dependent) => {
        const below = owned(dependent.object.metadata.uid);
        return { ...dependent, isOwner: below.length > 0, ownsWaiting: below.some(({ object }) => isWaiting(object)) };
      });
  // A uid never comes back: the many dependents of one owner ask once. What is absent in one place may be in another, though.
  const absent = new Map<string, OwnerState['state'] & ('absent' | 'misplaced')>();

  /** The object itself while it has owners or waits for its dependents; its dependents once it is going or gone. */
  const keys = (kind: KindDefinition, lister: Lister<KubeObject>, changed: KubeObject): readonly string[] => {
    const { uid, ownerReferences, deletionTimestamp } = metadataOf(changed);
    const present = lister.get(keyOf(changed));
    const going = deletionTimestamp !== '' || present === undefined || metadataOf(present).uid !== uid;
    const own = ownerReferences.length > 0 || deletionTimestamp !== '' ? [keyFor(kind, changed)] : [];
    // An owner that waits for its dependents hears of each change of theirs.
    const owners = ownerReferences.flatMap((reference) => keyOfOwner(kinds, changed, reference));
    return [
      ...own,
      ...(deletionTimestamp !== '' || present === undefined ? owners : []),
      ...(going ? owned(uid).map((dependent) => keyFor(dependent.kind, dependent.object)) : []),
    ];
  };
  const ownerState = async (
    object: KubeObject,
    reference: OwnerReference,
    signal: AbortSignal,
  ): Promise<OwnerState> => {
    const kind = kinds.byApiVersion(reference.apiVersion, reference.kind);
    if (kind === undefined) return { reference, state: 'unknown' };
    if (kind.scope === 'Namespaced' && metadataOf(object).namespace === '') return { reference, state: 'unresolvable' };
    const key = ownerKey(kind, object, reference);
    const place = `${reference.uid} ${kind.resource} ${keyString(key)}`;
    const known = absent.get(place);
    if (known !== undefined) return { reference, state: known };
    const cached = cacheOf(kind)?.get(key);
    const owner =
      cached !== undefined && metadataOf(cached).uid === reference.uid
        ? cached
        : await live(kind, key, reference.uid, signal);
    if (owner === undefined) {
      const elsewhere = cacheOf(kind)
        ?.list()
        .some((other) => metadataOf(other).uid === reference.uid);
      const state = elsewhere === true ? 'misplaced' : 'absent';
      absent.set(place, state);
      for (const oldest of absent.keys()) if (absent.size > mostAbsent) absent.delete(oldest);
      return { reference, state };
    }
    return { reference, state: isWaiting(withMetadata(owner)) ? 'waiting' : 'present' };
  };
  /** The caches may be behind, or the owner younger than they are: only the api knows that it isn't there. */
  const live = async (
    kind: KindDefinition,
    key: { namespace: string; name: string },
    uid: string,
    signal: AbortSignal,
  ) => {
    try {
      const object: KubeObject = await hands.client.get(kind, key, { signal });
      return metadataOf(object).uid === uid ? object : undefined;
    } catch (error) {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    }
  };

  return {
    name: 'garbage-collector',
    sources: listers.map(
      ({ kind, lister }): Source => ({ kind, keys: (object: KubeObject) => keys(kind, lister, object) }),
    ),
    reconcile: async (key, context) => {
      const [resource = '', rest = ''] = key.split(' ');
      const entry = listers.find(({ kind }) => kind.resource === resource);
      const object = entry?.lister.get(parseKey(rest));
      if (entry === undefined || object === undefined) return {};
      const { uid, ownerReferences } = metadataOf(object);
      const owners = await Promise.all(
        ownerReferences.map((reference) => ownerState(object, reference, context.signal)),
      );
      const plan = collectGarbage({
        kind: entry.kind,
        object: withMetadata(object),
        owners,
        dependents: dependentsOf(uid),
      });
      return await carryOut(hands, plan, context);
    },
  };
}

function keyFor(kind: KindDefinition, object: KubeObject): string {
  return `${kind.resource} ${keyOf(object)}`;
}

function keyOfOwner(kinds: Kinds, object: KubeObject, reference: OwnerReference): readonly string[] {
  const kind = kinds.byApiVersion(reference.apiVersion, reference.kind);
  if (kind === undefined) return [];
  const { namespace, name } = ownerKey(kind, object, reference);
  return [`${kind.resource} ${namespace === '' ? name : `${namespace}/${name}`}`];
}

/** An owner is in its dependent's namespace, or in none. */
function ownerKey(kind: KindDefinition, object: KubeObject, { name }: OwnerReference) {
  return { namespace: kind.scope === 'Namespaced' ? metadataOf(object).namespace : '', name };
}

function withMetadata(object: KubeObject): KubeObject & { readonly metadata: ObjectMeta } {
  return { ...object, metadata: metadataOf(object) };
}
