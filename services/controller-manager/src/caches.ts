import type { InformerSet, Lister } from '@navarch/client';
import {
  controllerOf,
  clusterRole,
  controllerRevision,
  cronJob,
  customResourceDefinition,
  daemonSet,
  deployment,
  endpointSlice,
  horizontalPodAutoscaler,
  job,
  type KindDefinition,
  namespace,
  node,
  persistentVolumeClaim,
  pod,
  podDisruptionBudget,
  replicaSet,
  resourceQuota,
  service,
  serviceAccount,
  statefulSet,
} from '@navarch/kinds';
import { type KubeObject, keyOf, labelSelectorPredicate, type Live } from '@navarch/machinery';
import type {
  ClusterRole,
  ControllerRevision,
  CronJob,
  CustomResourceDefinition,
  DaemonSet,
  Deployment,
  EndpointSlice,
  HorizontalPodAutoscaler,
  Job,
  LabelSelector,
  Namespace,
  Node,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  ResourceQuota,
  Service,
  ServiceAccount,
  StatefulSet,
} from '@navarch/proto';
import { metadataOf } from './ownership.ts';
import { nodeOf as claimNode } from './volume-claim/reconcile.ts';

/** What the controllers of workloads and networks read. */
export interface Caches {
  readonly deployments: Lister<Deployment>;
  readonly replicaSets: Lister<ReplicaSet>;
  readonly statefulSets: Lister<StatefulSet>;
  readonly daemonSets: Lister<DaemonSet>;
  readonly controllerRevisions: Lister<ControllerRevision>;
  readonly jobs: Lister<Job>;
  readonly cronJobs: Lister<CronJob>;
  readonly pods: Lister<Pod>;
  readonly claims: Lister<PersistentVolumeClaim>;
  readonly services: Lister<Service>;
  readonly endpointSlices: Lister<EndpointSlice>;
  readonly nodes: Lister<Node>;
  readonly namespaces: Lister<Namespace>;
  readonly resourceQuotas: Lister<ResourceQuota>;
  readonly autoscalers: Lister<HorizontalPodAutoscaler>;
  readonly definitions: Lister<CustomResourceDefinition>;
  readonly serviceAccounts: Lister<ServiceAccount>;
  readonly clusterRoles: Lister<ClusterRole>;
  readonly podDisruptionBudgets: Lister<PodDisruptionBudget>;
}

/** Objects by the uid of the owner that manages them; those without one under `orphans/<namespace>`. */
export const byManager = 'manager';
/** Pods, and claims, by the node they are bound to. */
export const byNode = 'node';
/** Objects by the uid of each owner. */
export const byOwner = 'owner';

/** The listers with their indexes; before the informers start, once. */
export function readCaches(informers: Pick<InformerSet, 'lister'>): Caches {
  const caches = {
    deployments: informers.lister(deployment),
    replicaSets: informers.lister(replicaSet),
    statefulSets: informers.lister(statefulSet),
    daemonSets: informers.lister(daemonSet),
    controllerRevisions: informers.lister(controllerRevision),
    jobs: informers.lister(job),
    cronJobs: informers.lister(cronJob),
    pods: informers.lister(pod),
    claims: informers.lister(persistentVolumeClaim),
    services: informers.lister(service),
    endpointSlices: informers.lister(endpointSlice),
    nodes: informers.lister(node),
    namespaces: informers.lister(namespace),
    resourceQuotas: informers.lister(resourceQuota),
    autoscalers: informers.lister(horizontalPodAutoscaler),
    definitions: informers.lister(customResourceDefinition),
    serviceAccounts: informers.lister(serviceAccount),
    clusterRoles: informers.lister(clusterRole),
    podDisruptionBudgets: informers.lister(podDisruptionBudget),
  };
  caches.pods.addIndex(byManager, (object) => [managerKey(object)]);
  caches.replicaSets.addIndex(byManager, (object) => [managerKey(object)]);
  caches.jobs.addIndex(byManager, (object) => [managerKey(object)]);
  caches.controllerRevisions.addIndex(byManager, (object) => [managerKey(object)]);
  caches.pods.addIndex(byNode, ({ spec }) => (spec.nodeName === '' ? [] : [spec.nodeName]));
  caches.claims.addIndex(byNode, (claim) => {
    const nodeName = claimNode(claim);
    return nodeName === '' ? [] : [nodeName];
  });
  return caches;
}

/** Lets every kind's objects be found by their owners. */
export function addOwnerIndexes(informers: Pick<InformerSet, 'lister'>, kinds: readonly KindDefinition[]): void {
  for (const kind of kinds) {
    const lister: Lister<KubeObject> = informers.lister(kind);
    lister.addIndex(byOwner, (object) => metadataOf(object).ownerReferences.map(({ uid }) => uid));
  }
}

/** What `owner` manages, and what in its namespace nobody does. */
export function managedOrOrphaned<T extends KubeObject>(
  lister: Lister<T>,
  { metadata }: { metadata: { uid: string; namespace: string } },
) {
  return [...lister.byIndex(byManager, metadata.uid), ...lister.byIndex(byManager, `orphans/${metadata.namespace}`)];
}

function managerKey(object: KubeObject): string {
  const metadata = metadataOf(object);
  return controllerOf({ metadata })?.uid ?? `orphans/${metadata.namespace}`;
}

/**
 * Keys of the owners of `kind` that a change of what they may manage concerns: the one that manages it, or, where nobody does,
 * those that may want to.
 */
export function managersOf<T extends KubeObject>(
  kind: KindDefinition<T>,
  owners: Lister<T>,
  selectorOf: (owner: Live<T>) => LabelSelector | undefined,
): (object: KubeObject) => readonly string[] {
  return (object) => {
    const metadata = metadataOf(object);
    const manager = controllerOf({ metadata });
    if (manager !== undefined) return manager.kind === kind.kind ? [`${metadata.namespace}/${manager.name}`] : [];
    return owners
      .list(metadata.namespace)
      .filter((owner) => labelSelectorPredicate(selectorOf(owner))(metadata.labels))
      .map((owner) => keyOf(owner));
  };
}
