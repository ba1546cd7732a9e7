import type { Controller, ReconcileContext, ReconcileResult, Source } from '@navarch/controller';
import {
  controllerOf,
  configMap as configMapKind,
  deployment as deploymentKind,
  isAutoRollback,
  isConfigRollout,
  pod as podKind,
  replicaSet as replicaSetKind,
  secret as secretKind,
} from '@navarch/kinds';
import { keyOf, labelSelectorPredicate, type Live } from '@navarch/machinery';
import type { ConfigMap, Deployment, Pod, ReplicaSet, Secret } from '@navarch/proto';
import { byManager, type Caches, managedOrOrphaned } from '../caches.ts';
import { attempt, type Hands, refusal, resultOf } from '../carry-out.ts';
import { metadataOf } from '../ownership.ts';
import type { Configurations } from './configurations.ts';
import { reconcileDeployment } from './reconcile.ts';
import type { DeploymentObserved } from './seen.ts';
import { isRecreate } from './strategy.ts';

/** How soon to look again while ConfigMaps and Secrets are not yet as new as the leader. */
const settingsBehindMs = 200;

/** Rolls Deployments out: one ReplicaSet for each template they had. */
export function deploymentController(caches: Caches, hands: Hands, configurations: Configurations): Controller {
  const own: Source<Deployment> = { kind: deploymentKind, keys: (object) => [keyOf(object)] };
  const replicaSets: Source<ReplicaSet> = { kind: replicaSetKind, keys: (object) => deploymentsOf(object, caches) };
  const pods: Source<Pod> = { kind: podKind, keys: (object) => waitingForPod(object, caches) };
  const configMaps: Source<ConfigMap> = {
    kind: configMapKind,
    keys: (object) => configurations.users('ConfigMap', object),
  };
  const secrets: Source<Secret> = { kind: secretKind, keys: (object) => configurations.users('Secret', object) };
  return {
    name: 'deployment',
    sources: [own, replicaSets, pods, configMaps, secrets],
    reconcile: (key, context) => {
      const deployment = caches.deployments.get(key);
      if (deployment === undefined) return Promise.resolve({});
      const usesSettings = isConfigRollout(deployment);
      if (usesSettings && !configurations.isCurrent) return Promise.resolve({ againAfterMs: settingsBehindMs });
      const { namespace } = deployment.metadata;
      const replicaSets = managedOrOrphaned(caches.replicaSets, deployment);
      const pods = heedsPods(deployment)
        ? replicaSets.flatMap(({ metadata }) => caches.pods.byIndex(byManager, metadata.uid))
        : [];
      const taken = { has: (name: string) => caches.replicaSets.get({ namespace, name }) !== undefined };
      // Copies that were made before the Deployment stopped asking for them are still its own to take away.
      const configuration = configurations.isCurrent ? configurations.of(deployment) : undefined;
      return takeStep(hands, { deployment, replicaSets, pods, taken, configuration }, context);
    },
  };
}

async function takeStep(
  hands: Hands,
  observed: DeploymentObserved,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const plan = reconcileDeployment(observed, context.now);
  const { wroteRevision, failures } = await attempt(hands, plan, context);
  const [failure] = failures.filter(({ write, error }) => {
    // The name of a copy says what is in it: it was made before, and the cache will show it.
    const isCopy = write.type === 'create' && write.kind.case !== replicaSetKind.case;
    return !(isCopy && error.reason === 'AlreadyExists');
  });
  if (failure === undefined) return resultOf(plan, wroteRevision);
  const error = refusal(failure.error);
  if (failure.write.type === 'create' && error.reason !== 'Conflict') {
    hands.events.event(deploymentKind, observed.deployment, 'Warning', 'ReplicaSetCreateError', error.message);
    await attempt(hands, reconcileDeployment(observed, context.now, error.message), context);
  }
  throw error;
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

/** A Recreate rollout goes on when the last old Pod has gone; one that may go back looks at how each new Pod does. */
function waitingForPod(pod: Pod, { replicaSets, deployments }: Caches): readonly string[] {
  const metadata = metadataOf(pod);
  const manager = controllerOf({ metadata });
  const replicaSet = manager && replicaSets.get({ namespace: metadata.namespace, name: manager.name });
  const owner = replicaSet && controllerOf(replicaSet);
  const deployment = owner && deployments.get({ namespace: metadata.namespace, name: owner.name });
  if (deployment === undefined || !heedsPods(deployment)) return [];
  const isTried = isRecreate(deployment.spec) || deployment.status.release?.lastGood !== replicaSet?.metadata.name;
  return isTried ? [keyOf(deployment)] : [];
}

function heedsPods(deployment: Live<Deployment>): boolean {
  return isRecreate(deployment.spec) || isAutoRollback(deployment);
}
