import type { Live } from '@navarch/machinery';
import type { Deployment, ReplicaSet } from '@navarch/proto';
import { replicasOf, rollingLimits } from './strategy.ts';

/** Annotations and labels have Kubernetes' names, since its tools read them. */
export const revisionAnnotation = 'deployment.kubernetes.io/revision';
const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
const maxAnnotation = 'deployment.kubernetes.io/max-replicas';
const historyAnnotation = 'deployment.kubernetes.io/revision-history';
/** Of one ReplicaSet's revisions. */
const mostHistory = 100;
/** Navarch's own say how to roll out, not what. */
const ownPrefix = 'navarch.io/';

/** What concerns the Deployment's own manifest or its ReplicaSets one by one. */
const notCopied = new Set([
  revisionAnnotation,
  desiredAnnotation,
  maxAnnotation,
  historyAnnotation,
  'kubectl.kubernetes.io/last-applied-configuration',
]);

export function revisionOf({
  metadata,
}: {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
}): number {
  const revision = Number(metadata.annotations[revisionAnnotation] ?? 0);
  return Number.isSafeInteger(revision) ? revision : 0;
}

/** A ReplicaSet's revision, and those that it had when its template was wanted before. */
export function revisionAnnotations(replicaSet: Live<ReplicaSet>, revision: number): Record<string, string> {
  const before = revisionOf(replicaSet);
  const history = replicaSet.metadata.annotations[historyAnnotation];
  if (before === 0 || before === revision) return { [revisionAnnotation]: String(revision) };
  const longer = [...(history?.split(',') ?? []), String(before)].slice(-mostHistory).join(',');
  return { [revisionAnnotation]: String(revision), [historyAnnotation]: longer };
}

/** The replicas that were wanted in all when this ReplicaSet was last sized; undefined when it never was. */
export function sizedFor({ metadata }: Live<ReplicaSet>): number | undefined {
  return numberAt(metadata.annotations, desiredAnnotation);
}

/** The same with the surge that was allowed then. */
export function sizedForMost({ metadata }: Live<ReplicaSet>): number | undefined {
  return numberAt(metadata.annotations, maxAnnotation);
}

/** What a ReplicaSet remembers of the Deployment that sized it. */
export function sizeAnnotations({ spec }: Live<Deployment>): Record<string, string> {
  const desired = replicasOf(spec);
  return { [desiredAnnotation]: String(desired), [maxAnnotation]: String(desired + rollingLimits(spec).maxSurge) };
}

/** The Deployment's annotations that its ReplicaSets carry too: kubernetes.io/change-cause, and people's own. */
export function copiedAnnotations({ metadata }: Live<Deployment>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata.annotations).filter(([key]) => !notCopied.has(key) && !key.startsWith(ownPrefix)),
  );
}

function numberAt(annotations: Readonly<Record<string, string>>, key: string): number | undefined {
  const value = annotations[key];
  return value === undefined || !/^\d+$/.test(value) ? undefined : Number(value);
}
