import type { Controller, Source } from '@navarch/controller';
import {
  controllerRevision as revisionKind,
  persistentVolumeClaim as claimKind,
  pod as podKind,
  statefulSet as statefulSetKind,
} from '@navarch/kinds';
import { keyOf, labelSelectorPredicate, type Live } from '@navarch/machinery';
import type { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from '@navarch/proto';
import { type Caches, managedOrOrphaned } from '../caches.ts';
import { attempt, carryOut, type Hands, refusal } from '../carry-out.ts';
import { controllerOf, metadataOf } from '../ownership.ts';
import { parsePodName } from './identity.ts';
import { reconcileStatefulSet, type StatefulSetObserved } from './reconcile.ts';

/** Keeps each StatefulSet's Pods, one of each name, with their claims. */
export function statefulSetController(caches: Caches, hands: Hands): Controller {
  const own: Source<StatefulSet> = { kind: statefulSetKind, keys: (object) => [keyOf(object)] };
  const pods: Source<Pod> = { kind: podKind, keys: (pod) => setsOfPod(pod, caches) };
  const revisions: Source<ControllerRevision> = { kind: revisionKind, keys: (object) => setsOf(object, caches) };
  const claims: Source<PersistentVolumeClaim> = { kind: claimKind, keys: (object) => setsOfClaim(object, caches) };
  return {
    name: 'statefulset',
    sources: [own, pods, revisions, claims],
    reconcile: async (key, context) => {
      const set = caches.statefulSets.get(key);
      if (set === undefined) return {};
      const observed = observe(set, caches);
      const plan = reconcileStatefulSet(observed, context.now);
      const { wroteRevision, failures } = await attempt(hands, plan, context);
      const [first] = failures;
      if (first === undefined) {
        const { againAfterMs } = plan;
        return { ...(wroteRevision > 0n && { wroteRevision }), ...(againAfterMs !== undefined && { againAfterMs }) };
      }
      const error = refusal(first.error);
      if (error.reason !== 'Conflict' && first.write.type !== 'updateStatus') {
        const reason = first.write.type === 'delete' ? 'FailedDelete' : 'FailedCreate';
        hands.events.event(statefulSetKind, set, 'Warning', reason, error.message);
        await carryOut(hands, reconcileStatefulSet(observed, context.now, true), context);
      }
      throw error;
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
function setsOfPod(pod: Pod, caches: Caches): readonly string[] {
  const { namespace, name } = metadataOf(pod);
  const parsed = parsePodName(name);
  const keys = new Set(setsOf(pod, caches));
  if (parsed !== undefined && caches.statefulSets.get({ namespace, name: parsed.set }) !== undefined) {
    keys.add(`${namespace}/${parsed.set}`);
  }
  return [...keys];
}

/** The one that manages the object, or those that may want to. */
function setsOf(object: Pod | ControllerRevision, { statefulSets }: Caches): readonly string[] {
  const metadata = metadataOf(object);
  const manager = controllerOf({ metadata });
  if (manager !== undefined)
    return manager.kind === statefulSetKind.kind ? [`${metadata.namespace}/${manager.name}`] : [];
  return statefulSets
    .list(metadata.namespace)
    .filter(({ spec }) => labelSelectorPredicate(spec.selector)(metadata.labels))
    .map(keyOf);
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
