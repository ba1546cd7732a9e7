import type { Controller, Source } from '@navarch/controller';
import { deployment as deploymentKind, pod as podKind, replicaSet as replicaSetKind } from '@navarch/kinds';
import { keyOf, labelSelectorPredicate } from '@navarch/machinery';
import type { Deployment, Pod, ReplicaSet } from '@navarch/proto';
import { byManager, type Caches, managedOrOrphaned } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { controllerOf, metadataOf } from '../ownership.ts';
import { reconcileDeployment } from './reconcile.ts';
import { isRecreate } from './strategy.ts';

/** Rolls Deployments out: one ReplicaSet for each template they had. */
export function deploymentController(caches: Caches, hands: Hands): Controller {
  const own: Source<Deployment> = { kind: deploymentKind, keys: (object) => [keyOf(object)] };
  const replicaSets: Source<ReplicaSet> = { kind: replicaSetKind, keys: (object) => deploymentsOf(object, caches) };
  const pods: Source<Pod> = { kind: podKind, keys: (object) => waitingForPod(object, caches) };
  return {
    name: 'deployment',
    sources: [own, replicaSets, pods],
    reconcile: (key, context) => {
      const deployment = caches.deployments.get(key);
      if (deployment === undefined) return Promise.resolve({});
      const { namespace } = deployment.metadata;
      const replicaSets = managedOrOrphaned(caches.replicaSets, deployment);
      const pods = isRecreate(deployment.spec)
        ? replicaSets.flatMap(({ metadata }) => caches.pods.byIndex(byManager, metadata.uid))
        : [];
      const taken = { has: (name: string) => caches.replicaSets.get({ namespace, name }) !== undefined };
      return carryOut(hands, reconcileDeployment({ deployment, replicaSets, pods, taken }, context.now), context);
    },
  };
}

/** The one that manages the ReplicaSet, or those that may want to. */
function deploymentsOf(replicaSet: ReplicaSet, { deployments }: Caches): readonly string[] {
  const metadata = metadataOf(replicaSet);
  const manager = controllerOf({ metadata });
  if (manager !== undefined)
    return manager.kind === deploymentKind.kind ? [`${metadata.namespace}/${manager.name}`] : [];
  return deployments
    .list(metadata.namespace)
    .filter(({ spec }) => labelSelectorPredicate(spec.selector)(metadata.labels))
    .map(keyOf);
}

/** A Recreate rollout goes on when the last old Pod has gone. */
function waitingForPod(pod: Pod, { replicaSets, deployments }: Caches): readonly string[] {
  const metadata = metadataOf(pod);
  const manager = controllerOf({ metadata });
  const replicaSet = manager && replicaSets.get({ namespace: metadata.namespace, name: manager.name });
  const owner = replicaSet && controllerOf(replicaSet);
  const deployment = owner && deployments.get({ namespace: metadata.namespace, name: owner.name });
  return deployment !== undefined && isRecreate(deployment.spec) ? [keyOf(deployment)] : [];
}
