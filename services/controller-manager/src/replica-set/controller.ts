import type { Controller, Source } from '@navarch/controller';
import { pod as podKind, replicaSet as replicaSetKind } from '@navarch/kinds';
import { keyOf, labelSelectorPredicate, type Live } from '@navarch/machinery';
import type { Pod, ReplicaSet } from '@navarch/proto';
import { byManager, type Caches, managedOrOrphaned } from '../caches.ts';
import { attempt, carryOut, type Hands, refusal, resultOf } from '../carry-out.ts';
import { controllerOf, metadataOf } from '../ownership.ts';
import { reconcileReplicaSet } from './reconcile.ts';

/** Keeps as many Pods as each ReplicaSet asks for. */
export function replicaSetController(caches: Caches, hands: Hands): Controller {
  const own: Source<ReplicaSet> = { kind: replicaSetKind, keys: (object) => [keyOf(object)] };
  const pods: Source<Pod> = { kind: podKind, keys: (object) => replicaSetsOf(object, caches) };
  return {
    name: 'replicaset',
    sources: [own, pods],
    reconcile: async (key, context) => {
      const replicaSet = caches.replicaSets.get(key);
      if (replicaSet === undefined) return {};
      const { namespace } = replicaSet.metadata;
      const taken = { has: (name: string) => caches.pods.get({ namespace, name }) !== undefined };
      const pods = managedOrOrphaned(caches.pods, replicaSet);
      const observed = { replicaSet, pods, taken, related: () => relatedPods(replicaSet, caches) };
      const plan = reconcileReplicaSet(observed, context.now);
      const { wroteRevision, failures } = await attempt(hands, plan, context);
      const [first] = failures;
      if (first === undefined) return resultOf(plan, wroteRevision);
      const error = refusal(first.error);
      if (error.reason !== 'Conflict' && first.write.type !== 'updateStatus') {
        const reason = first.write.type === 'delete' ? 'FailedDelete' : 'FailedCreate';
        hands.events.event(replicaSetKind, replicaSet, 'Warning', reason, error.message);
        await carryOut(hands, reconcileReplicaSet(observed, context.now, { reason, message: error.message }), context);
      }
      throw error;
    },
  };
}

/** The Pods of the ReplicaSets that have the same owner. */
function relatedPods(replicaSet: Live<ReplicaSet>, caches: Caches): readonly Live<Pod>[] {
  const owner = controllerOf(replicaSet);
  if (owner === undefined) return [];
  return caches.replicaSets
    .byIndex(byManager, owner.uid)
    .filter(({ metadata }) => metadata.uid !== replicaSet.metadata.uid)
    .flatMap(({ metadata }) => caches.pods.byIndex(byManager, metadata.uid));
}

/** The one that manages the Pod, or those that may want to. */
function replicaSetsOf(pod: Pod, { replicaSets }: Caches): readonly string[] {
  const metadata = metadataOf(pod);
  const manager = controllerOf({ metadata });
  if (manager !== undefined)
    return manager.kind === replicaSetKind.kind ? [`${metadata.namespace}/${manager.name}`] : [];
  return replicaSets
    .list(metadata.namespace)
    .filter(({ spec }) => labelSelectorPredicate(spec.selector)(metadata.labels))
    .map(keyOf);
}
