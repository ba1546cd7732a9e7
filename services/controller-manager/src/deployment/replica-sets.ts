import {
  podTemplateHashLabel,
  deployment as deploymentKind,
  minReadySecondsOf,
  releaseRecords,
  withoutEmptyParts,
} from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { type Deployment, ObjectMeta, PodTemplateSpec, type ReplicaSet } from '@navarch/proto';
import { canonicalJson } from '../canonical.ts';
import { shortHash } from '../child-name.ts';
import { controllerReference } from '../ownership.ts';
import type { KnownTemplate } from './configuration.ts';
import {
  copiedAnnotations,
  revisionAnnotation,
  revisionAnnotations,
  revisionOf,
  sizeAnnotations,
} from './annotations.ts';
import { replicasOf } from './strategy.ts';

/** A Deployment's ReplicaSets, oldest first: the one that has today's template, and all others. */
export interface ReplicaSets {
  readonly current: Live<ReplicaSet> | undefined;
  /** The last one whose Pods were all available. */
  readonly lastGood: Live<ReplicaSet> | undefined;
  readonly old: readonly Live<ReplicaSet>[];
  readonly all: readonly Live<ReplicaSet>[];
}

/**
 * Of several with the template that is wanted the oldest is the current one, so that every controller picks the same.
 * `template` is undefined while nobody knows what it will be.
 */
export function sortOut(
  { status }: Live<Deployment>,
  template: PodTemplateSpec | undefined,
  owned: readonly Live<ReplicaSet>[],
): ReplicaSets {
  const wanted = templateText(template);
  const all = owned.toSorted(byAge);
  const current = template && all.find(({ spec }) => templateText(spec.template) === wanted);
  const lastGood = all.find(({ metadata }) => metadata.name === status.release?.lastGood);
  return { current, lastGood, old: all.filter((candidate) => candidate !== current), all };
}

/** Whether what is rolled out is not yet known to be good, while something else is. */
export function isTrial({ current, lastGood }: ReplicaSets): boolean {
  return lastGood !== undefined && lastGood !== current && lastGood.metadata.deletionTimestamp === '';
}

/** What tells a template from all others. */
export function templateHash(template: PodTemplateSpec | undefined): string {
  return shortHash(templateText(template), 10);
}

/**
 * The template as text that is equal for equal Pods, whoever wrote it: the label that tells ReplicaSets apart is no part of
 * it, nor are messages that say nothing.
 */
export function templateText(template: PodTemplateSpec | undefined): string {
  const { [podTemplateHashLabel]: _, ...labels } = template?.metadata?.labels ?? {};
  const json = PodTemplateSpec.toJSON({
    spec: template?.spec,
    metadata: ObjectMeta.create({ ...template?.metadata, labels }),
  });
  return canonicalJson(withoutEmptyParts(json));
}

interface NewReplicaSet {
  readonly replicas: number;
  readonly revision: number;
  /** How often its name was found to be somebody else's. */
  readonly collisions: number;
}

/** The ReplicaSet for a template. */
export function newReplicaSet(
  deployment: Live<Deployment>,
  { template, copies }: KnownTemplate,
  { replicas, revision, collisions }: NewReplicaSet,
): ReplicaSet {
  const { metadata, spec } = deployment;
  const text = templateText(template);
  const hash = shortHash(collisions === 0 ? text : `${text} ${collisions}`, 10);
  const name = `${metadata.name.slice(0, 240)}-${hash}`;
  const labels = { ...template.metadata?.labels, [podTemplateHashLabel]: hash };
  const annotations = {
    ...copiedAnnotations(deployment),
    ...sizeAnnotations(deployment),
    [revisionAnnotation]: String(revision),
    ...(Object.keys(copies).length > 0 && { [releaseRecords.config]: JSON.stringify(copies) }),
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
      minReadySeconds: minReadySecondsOf(deployment),
      selector: {
        matchLabels: { ...spec.selector?.matchLabels, [podTemplateHashLabel]: hash },
        matchExpressions: spec.selector?.matchExpressions ?? [],
      },
      template: {
        metadata: ObjectMeta.create({ ...template.metadata, labels }),
        spec: structuredClone(template.spec),
      },
    },
    status: undefined,
  };
}

/** How many Pods of a ReplicaSet can be counted on: of those that it has too many, nobody knows which will go. */
export function availableOf({ spec, status }: Live<ReplicaSet>): number {
  return Math.min(replicasOf(spec), status.availableReplicas);
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

/** The current ReplicaSet has the newest revision and follows the Deployment's annotations and minReadySeconds. */
export function asCurrent(deployment: Live<Deployment>, set: Live<ReplicaSet>, revision: number): Live<ReplicaSet> {
  const annotations = {
    ...set.metadata.annotations,
    ...copiedAnnotations(deployment),
    ...revisionAnnotations(set, revision),
  };
  const minReadySeconds = minReadySecondsOf(deployment);
  return { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, minReadySeconds } };
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
