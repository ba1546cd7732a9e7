import { isDeepStrictEqual } from 'node:util';
import {
  podTemplateHashLabel,
  revisionHashLabel,
  claimVolumes,
  daemonSet,
  daemonTolerations,
  deployment,
  job,
  type KindDefinition,
  pod as podKind,
  removalOrder,
  replicaSet,
  statefulSet,
  withoutEmptyParts,
} from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import {
  type DaemonSet,
  type Deployment,
  type Job,
  ObjectMeta,
  type PlannedWorkload,
  type Pod,
  PodSpec,
  type PodTemplateSpec,
  type ReplicaSet,
  type StatefulSet,
} from '@navarch/proto';

/** What there is in the workload's namespace. */
export interface Neighbours {
  readonly pods: readonly Live<Pod>[];
  readonly replicaSets: readonly Live<ReplicaSet>[];
}

/** A workload as it would be, and as it is now. */
export interface Planned<T> {
  readonly object: Live<T>;
  readonly previous: Live<T> | undefined;
}

/** What becomes of a workload's Pods, and a Pod as its template says. */
export interface WorkloadPlan extends Omit<PlannedWorkload, 'pod'> {
  readonly sample: Pod;
}

const revisionAnnotation = 'deployment.kubernetes.io/revision';

/**
 * What a workload comes to once everything it asks for is done: a rolling update counts as over, its old Pods gone and all new
 * ones there. Undefined for what makes no Pods. Of a Pod that is there already nothing changes.
 */
export function workloadPlan(
  kind: KindDefinition,
  planned: Planned<unknown>,
  neighbours: Neighbours,
): WorkloadPlan | undefined {
  const plan = planners[kind.case];
  return plan?.(planned as Planned<never>, neighbours); // the kind says what it is
}

const planners: Readonly<
  Partial<Record<string, (planned: Planned<never>, neighbours: Neighbours) => WorkloadPlan | undefined>>
> = {
  [podKind.case]: planPod,
  [deployment.case]: planDeployment,
  [replicaSet.case]: planReplicaSet,
  [statefulSet.case]: planStatefulSet,
  [daemonSet.case]: planDaemonSet,
  [job.case]: planJob,
};

function planPod({ object, previous }: Planned<Pod>): WorkloadPlan | undefined {
  if (previous !== undefined) return { ...nothing, sample: object, kept: [keyOf(previous)] };
  if (object.spec.nodeName !== '') return undefined;
  return { ...nothing, sample: object, made: [object.metadata.name] };
}

function planDeployment({ object, previous }: Planned<Deployment>, { pods, replicaSets }: Neighbours): WorkloadPlan {
  const { replicas = 1, template, paused } = object.spec;
  const sets = replicaSets.filter((each) => isOwnedBy(each, previous));
  const newest = sets.toSorted((one, other) => revisionOf(other) - revisionOf(one))[0];
  // A release may add to the template that it is given: the newest is today's as long as the template stays.
  const unchanged = paused || sameTemplate(previous?.spec.template, template);
  const current = unchanged ? newest : sets.find(({ spec }) => sameTemplate(spec.template, template));
  const own = pods.filter((pod) => sets.some((set) => isOwnedBy(pod, set)) && isAlive(pod));
  const todays = own.filter((pod) => isOwnedBy(pod, current));
  const labels = { [podTemplateHashLabel]: current?.metadata.labels[podTemplateHashLabel] ?? 'planned' };
  const sample = podOf(current?.spec.template ?? template, object, labels);
  return scaled(`deployment/${object.metadata.name}`, sample, replicas, todays, own);
}

function planReplicaSet({ object, previous }: Planned<ReplicaSet>, { pods }: Neighbours): WorkloadPlan {
  const own = pods.filter((pod) => isOwnedBy(pod, previous) && isAlive(pod));
  const { replicas = 1, template } = object.spec;
  return scaled(`replicaset/${object.metadata.name}`, podOf(template, object), replicas, own, own);
}

function planStatefulSet({ object, previous }: Planned<StatefulSet>, { pods }: Neighbours): WorkloadPlan {
  const { name } = object.metadata;
  const { replicas = 1, template, volumeClaimTemplates, updateStrategy, ordinals } = object.spec;
  const first = ordinals?.start ?? 0;
  const own = pods.filter((pod) => isOwnedBy(pod, previous) && isAlive(pod));
  const wanted = Array.from({ length: replicas }, (_, at) => `${name}-${first + at}`);
  const rolls = updateStrategy?.type !== 'OnDelete';
  const revision = previous?.status.updateRevision ?? '';
  const isCurrent = ({ metadata }: Live<Pod>) =>
    !rolls ||
    (sameTemplate(previous?.spec.template, template) &&
      (revision === '' || metadata.labels[revisionHashLabel] === revision));
  const kept = own.filter((pod) => wanted.includes(pod.metadata.name) && isCurrent(pod));
  const replaced = own.filter((pod) => wanted.includes(pod.metadata.name) && !kept.includes(pod));
  const made = wanted.filter((each) => !kept.some(({ metadata }) => metadata.name === each));
  const sample = podOf(template, object);
  const claims = volumeClaimTemplates.map(({ metadata }) => {
    return { name: metadata?.name ?? '', claimName: `${metadata?.name ?? ''}-${name}-0` };
  });
  if (sample.spec !== undefined) sample.spec.volumes = claimVolumes(sample.spec, claims);
  if (sample.metadata !== undefined) sample.metadata.name = `${name}-0`;
  const removed = own.filter((pod) => !kept.includes(pod) && !replaced.includes(pod));
  return {
    ...nothing,
    owner: `statefulset/${name}`,
    sample,
    made,
    // In the order of what is made in their place.
    replaced: made.flatMap((each) => replaced.filter(({ metadata }) => metadata.name === each).map(keyOf)),
    removed: removed.map(keyOf),
    kept: kept.map(keyOf),
  };
}

function planDaemonSet({ object, previous }: Planned<DaemonSet>, { pods }: Neighbours): WorkloadPlan {
  const { template, updateStrategy } = object.spec;
  const own = pods.filter((pod) => isOwnedBy(pod, previous) && isAlive(pod));
  const stays = updateStrategy?.type === 'OnDelete' || sameTemplate(previous?.spec.template, template);
  const sample = podOf(template, object);
  if (sample.spec !== undefined) sample.spec.tolerations = daemonTolerations(sample.spec);
  return {
    ...nothing,
    owner: `daemonset/${object.metadata.name}`,
    sample,
    onEachNode: true,
    kept: stays ? own.map(keyOf) : [],
    replaced: stays ? [] : own.map(keyOf),
  };
}

function planJob({ object, previous }: Planned<Job>, { pods }: Neighbours): WorkloadPlan {
  const { parallelism = 1, completions, suspend, template } = object.spec;
  const own = pods.filter((pod) => isOwnedBy(pod, previous) && isAlive(pod));
  const { succeeded = 0, conditions = [] } = previous?.status ?? {};
  const isOver = conditions.some(({ type, status }) => ['Complete', 'Failed'].includes(type) && status === 'True');
  const left = completions === undefined ? parallelism : Math.max(0, Math.min(parallelism, completions - succeeded));
  const wanted = suspend === true || isOver ? 0 : left;
  return scaled(`job/${object.metadata.name}`, podOf(template, object), wanted, own, own);
}

const nothing = { owner: '', made: [], replaced: [], removed: [], onEachNode: false, kept: [] };

/** So many Pods of today's template, and none of another. */
function scaled(
  owner: string,
  sample: Pod,
  wanted: number,
  todays: readonly Live<Pod>[],
  own: readonly Live<Pod>[],
): WorkloadPlan {
  const surplus = removalOrder(todays, own).slice(0, Math.max(0, todays.length - wanted));
  const kept = todays.filter((pod) => !surplus.includes(pod));
  const old = own.filter((pod) => !todays.includes(pod));
  const made = Array.from({ length: wanted - kept.length }, (_, at) => `#${at + 1}`);
  return {
    ...nothing,
    owner,
    sample,
    made,
    replaced: old.slice(0, made.length).map(keyOf),
    removed: [...surplus, ...old.slice(made.length)].map(keyOf),
    kept: kept.map(keyOf),
  };
}

function podOf(
  template: PodTemplateSpec | undefined,
  { metadata: { namespace, name } }: { readonly metadata: ObjectMeta },
  more: Readonly<Record<string, string>> = {},
): Pod {
  const { labels = {}, annotations = {} } = template?.metadata ?? {};
  const metadata = ObjectMeta.fromPartial({
    name: '',
    generateName: `${name}-`,
    namespace,
    labels: { ...labels, ...more },
    annotations,
  });
  return { metadata, spec: structuredClone(template?.spec), status: undefined };
}

/** The label that tells ReplicaSets apart is no part of a template. */
function sameTemplate(one: PodTemplateSpec | undefined, other: PodTemplateSpec | undefined): boolean {
  return isDeepStrictEqual(essence(one), essence(other));
}

function essence(template: PodTemplateSpec | undefined): unknown {
  const { [podTemplateHashLabel]: _, ...labels } = template?.metadata?.labels ?? {};
  const spec = template?.spec && withoutEmptyParts(PodSpec.toJSON(template.spec));
  return { labels, annotations: template?.metadata?.annotations ?? {}, spec };
}

function revisionOf({ metadata }: Live<ReplicaSet>): number {
  return Number(metadata.annotations[revisionAnnotation] ?? 0);
}

function isOwnedBy(object: { readonly metadata: ObjectMeta }, owner: { readonly metadata: ObjectMeta } | undefined) {
  if (owner === undefined) return false;
  return object.metadata.ownerReferences.some(
    ({ controller, uid }) => controller === true && uid === owner.metadata.uid,
  );
}

function isAlive({ metadata, status }: Live<Pod>): boolean {
  return metadata.deletionTimestamp === '' && status.phase !== 'Succeeded' && status.phase !== 'Failed';
}

function keyOf({ metadata: { namespace, name } }: Live<Pod>): string {
  return `${namespace}/${name}`;
}
