import { deployment as deploymentKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { type Deployment, ObjectMeta, PodTemplateSpec, type ReplicaSet } from '@navarch/proto';
import { canonicalJson } from '../canonical.ts';
import { shortHash } from '../child-name.ts';
import { controllerReference } from '../ownership.ts';
import { copiedAnnotations, hashLabel, revisionAnnotation, revisionOf, sizeAnnotations } from './annotations.ts';
import { replicasOf } from './strategy.ts';

/** A Deployment's ReplicaSets, oldest first: the one that has today's template, and all others. */
export interface ReplicaSets {
  readonly current: Live<ReplicaSet> | undefined;
  readonly old: readonly Live<ReplicaSet>[];
  readonly all: readonly Live<ReplicaSet>[];
}

/** Of several with today's template the oldest is the current one, so that every controller picks the same. */
export function sortOut(deployment: Live<Deployment>, owned: readonly Live<ReplicaSet>[]): ReplicaSets {
  const wanted = templateText(deployment.spec.template);
  const all = owned.toSorted(byAge);
  const current = all.find(({ spec }) => templateText(spec.template) === wanted);
  return { current, old: all.filter((candidate) => candidate !== current), all };
}

/** The template as text that is equal for equal Pods: the label that tells ReplicaSets apart is no part of it. */
export function templateText(template: PodTemplateSpec | undefined): string {
  const { [hashLabel]: _, ...labels } = template?.metadata?.labels ?? {};
  const json = PodTemplateSpec.toJSON({
    spec: template?.spec,
    metadata: ObjectMeta.create({ ...template?.metadata, labels }),
  });
  return canonicalJson(json);
}

/** The ReplicaSet for today's template. `collisions` is how often its name was found to be somebody else's. */
export function newReplicaSet(
  deployment: Live<Deployment>,
  replicas: number,
  revision: number,
  collisions: number,
): ReplicaSet {
  const { metadata, spec } = deployment;
  const text = templateText(spec.template);
  const hash = shortHash(collisions === 0 ? text : `${text} ${collisions}`, 10);
  const name = `${metadata.name.slice(0, 240)}-${hash}`;
  const labels = { ...spec.template?.metadata?.labels, [hashLabel]: hash };
  const annotations = {
    ...copiedAnnotations(deployment),
    ...sizeAnnotations(deployment),
    [revisionAnnotation]: String(revision),
  };
  return {
    metadata: ObjectMeta.create({
      name,
      namespace: metadata.namespace,
      labels,
      annotations,
      ownerReferences: [controllerReference(deploymentKind, deployment)],
    }),
    spec: {
      replicas,
      minReadySeconds: spec.minReadySeconds,
      selector: {
        matchLabels: { ...spec.selector?.matchLabels, [hashLabel]: hash },
        matchExpressions: spec.selector?.matchExpressions ?? [],
      },
      template: {
        metadata: ObjectMeta.create({ ...spec.template?.metadata, labels }),
        spec: structuredClone(spec.template?.spec),
      },
    },
    status: undefined,
  };
}

/** `replicaSet` with another size, and the memory of what it was sized for. */
export function resized(
  deployment: Live<Deployment>,
  replicaSet: Live<ReplicaSet>,
  replicas: number,
): Live<ReplicaSet> {
  const annotations = { ...replicaSet.metadata.annotations, ...sizeAnnotations(deployment) };
  return {
    ...replicaSet,
    metadata: { ...replicaSet.metadata, annotations },
    spec: { ...replicaSet.spec, replicas },
  };
}

/** The revision that the current ReplicaSet has or must get: after those of all others. */
export function currentRevision({ current, old }: ReplicaSets): number {
  const newest = old.reduce((highest, replicaSet) => Math.max(highest, revisionOf(replicaSet)), 0);
  return Math.max(newest + 1, current === undefined ? 0 : revisionOf(current));
}

export function sumOfReplicas(replicaSets: readonly Live<ReplicaSet>[]): number {
  return replicaSets.reduce((sum, { spec }) => sum + replicasOf(spec), 0);
}

export function sumOfStatus(
  replicaSets: readonly Live<ReplicaSet>[],
  field: 'replicas' | 'readyReplicas' | 'availableReplicas',
): number {
  return replicaSets.reduce((sum, { status }) => sum + status[field], 0);
}

function byAge(a: Live<ReplicaSet>, b: Live<ReplicaSet>): number {
  const key = ({ metadata }: Live<ReplicaSet>) => `${metadata.creationTimestamp} ${metadata.name}`;
  return key(a) < key(b) ? -1 : 1;
}
