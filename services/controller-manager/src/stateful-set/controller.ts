import type { Controller, Source } from '@navarch/controller';
import {
  controllerRevision as revisionKind,
  persistentVolumeClaim as claimKind,
  pod as podKind,
  statefulSet as statefulSetKind,
} from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import type { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from '@navarch/proto';
import { type Caches, managedOrOrphaned, managersOf } from '../caches.ts';
import { carryOutPods, type Hands } from '../carry-out.ts';
import { metadataOf } from '../ownership.ts';
import { parsePodName } from './identity.ts';
import { reconcileStatefulSet, type StatefulSetObserved } from './reconcile.ts';

/** Keeps each StatefulSet's Pods, one of each name, with their claims. */
export function statefulSetController(caches: Caches, hands: Hands): Controller {
  const own: Source<StatefulSet> = { kind: statefulSetKind, keys: (object) => [keyOf(object)] };
  const setsOf = managersOf(statefulSetKind, caches.statefulSets, ({ spec }) => spec.selector);
  const pods: Source<Pod> = { kind: podKind, keys: (pod) => withNamed(setsOf(pod), pod, caches) };
  const revisions: Source<ControllerRevision> = { kind: revisionKind, keys: setsOf };
  const claims: Source<PersistentVolumeClaim> = { kind: claimKind, keys: (object) => setsOfClaim(object, caches) };
  return {
    name: 'statefulset',
    sources: [own, pods, revisions, claims],
    reconcile: async (key, context) => {
      const set = caches.statefulSets.get(key);
      if (set === undefined) return {};
      const observed = observe(set, caches);
      const plan = reconcileStatefulSet(observed, context.now);
      const meanwhile = () => reconcileStatefulSet(observed, context.now, true);
      return carryOutPods(hands, plan, { kind: statefulSetKind, object: set, meanwhile }, context);
    },
  };
}

function observe(set: Live<StatefulSet>, caches: Caches): StatefulSetObserved {
  const { namespace } = set.metadata;
  return {
    set,
    pods: managedOrOrphaned(caches.pods, set),
    revisions: managedOrOrphaned(caches.controllerRevisions, set),
    takenRevisions: { has: (name) => caches.controllerRevisions.get({ namespace, name }) !== undefined },
    anyPod: (name) => caches.pods.get({ namespace, name }),
    claims: { get: (name) => caches.claims.get({ namespace, name }) },
  };
}

/** Of a Pod also the set that its name speaks of, which may wait for it to go, whosever it is. */
function withNamed(sets: readonly string[], pod: Pod, { statefulSets }: Caches): readonly string[] {
  const { namespace, name } = metadataOf(pod);
  const parsed = parsePodName(name);
  const keys = new Set(sets);
  if (parsed !== undefined && statefulSets.get({ namespace, name: parsed.set }) !== undefined) {
    keys.add(`${namespace}/${parsed.set}`);
  }
  return [...keys];
}

/** Those whose Pods have claims of such a name. */
function setsOfClaim(claim: PersistentVolumeClaim, { statefulSets }: Caches): readonly string[] {
  const { namespace, name } = metadataOf(claim);
  return statefulSets
    .list(namespace)
    .filter(({ metadata, spec }) =>
      spec.volumeClaimTemplates.some((template) => name.startsWith(`${template.metadata?.name}-${metadata.name}-`)),
    )
    .map(keyOf);
}
