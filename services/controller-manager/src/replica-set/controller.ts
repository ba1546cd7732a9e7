import type { Controller, Source } from '@navarch/controller';
import { controllerOf, pod as podKind, replicaSet as replicaSetKind } from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import type { Pod, ReplicaSet } from '@navarch/proto';
import { byManager, type Caches, managedOrOrphaned, managersOf } from '../caches.ts';
import { carryOutPods, type Hands, type PodRefusal } from '../carry-out.ts';
import { reconcileReplicaSet } from './reconcile.ts';

/** Keeps as many Pods as each ReplicaSet asks for. */
export function replicaSetController(caches: Caches, hands: Hands): Controller {
  const own: Source<ReplicaSet> = { kind: replicaSetKind, keys: (object) => [keyOf(object)] };
  const pods: Source<Pod> = {
    kind: podKind,
    keys: managersOf(replicaSetKind, caches.replicaSets, ({ spec }) => spec.selector),
  };
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
      const meanwhile = (refused: PodRefusal) => reconcileReplicaSet(observed, context.now, refused);
      return carryOutPods(hands, plan, { kind: replicaSetKind, object: replicaSet, meanwhile }, context);
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
