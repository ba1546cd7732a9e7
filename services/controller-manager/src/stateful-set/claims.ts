import type { ClientWrite } from '@navarch/client';
import { persistentVolumeClaim as claimKind, pod as podKind, statefulSet as statefulSetKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import {
  ObjectMeta,
  type OwnerReference,
  type PersistentVolumeClaim,
  type Pod,
  type StatefulSet,
} from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { controllerReference } from '../ownership.ts';
import { claimNames, podName } from './identity.ts';

/** The claims of the set's namespace. */
export type Claims = { get(name: string): Live<PersistentVolumeClaim> | undefined };

/** The claims that the Pod of this number has and does not find. */
export function missingClaims(set: Live<StatefulSet>, ordinal: number, claims: Claims): ClientWrite[] {
  return claimNames(set, ordinal)
    .filter(({ claimName }) => claims.get(claimName) === undefined)
    .map(({ claimName, template }) => {
      const { labels = {}, annotations = {} } = template.metadata ?? {};
      const metadata = ObjectMeta.create({
        name: claimName,
        namespace: set.metadata.namespace,
        labels: { ...labels, ...set.spec.selector?.matchLabels },
        annotations,
      });
      return {
        type: 'create',
        kind: claimKind,
        object: { metadata, spec: structuredClone(template.spec), status: undefined },
      };
    });
}

/**
 * Whether a claim of the Pod that is to be made is about to go: it was asked to, or it belongs to a former Pod of that name
 * and goes with it. A Pod that took it would lose its data.
 */
export function hasGoingClaim(set: Live<StatefulSet>, ordinal: number, claims: Claims): boolean {
  return claimNames(set, ordinal).some(({ claimName }) => {
    const claim = claims.get(claimName);
    if (claim === undefined) return false;
    const ofFormerPod = claim.metadata.ownerReferences.some((owner) => isPod(owner, podName(set, ordinal)));
    return ofFormerPod || claim.metadata.deletionTimestamp !== '';
  });
}

/**
 * The claims of a Pod whose owners are not those that persistentVolumeClaimRetentionPolicy asks for. What is to go with the
 * set is the set's, what is to go with a Pod beyond `replicas` is that Pod's: garbage collection does the rest. A claim that
 * somebody else manages is left alone.
 */
export function retentionWrites(
  set: Live<StatefulSet>,
  { pod, ordinal, condemned }: { readonly pod: Live<Pod>; readonly ordinal: number; readonly condemned: boolean },
  claims: Claims,
): ClientWrite[] {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  const withPod = condemned && whenScaled === 'Delete';
  const withSet = !withPod && whenDeleted === 'Delete';
  const owners = [
    ...(withPod ? [controllerReference(podKind, pod)] : []),
    ...(withSet ? [controllerReference(statefulSetKind, set)] : []),
  ];
  return claimNames(set, ordinal).flatMap(({ claimName }): ClientWrite[] => {
    const claim = claims.get(claimName);
    if (claim === undefined || claim.metadata.deletionTimestamp !== '') return [];
    const { ownerReferences: before } = claim.metadata;
    const others = before.filter((owner) => !isPod(owner, pod.metadata.name) && !isSet(owner, set));
    if (others.some(({ controller }) => controller === true)) return [];
    const ownerReferences = [...others, ...owners];
    if (equalValues(ownerReferences, before)) return [];
    return [
      { type: 'update', kind: claimKind, object: { ...claim, metadata: { ...claim.metadata, ownerReferences } } },
    ];
  });
}

function isPod({ kind, name }: OwnerReference, wanted: string): boolean {
  return kind === podKind.kind && name === wanted;
}

function isSet({ kind, name }: OwnerReference, { metadata }: Live<StatefulSet>): boolean {
  return kind === statefulSetKind.kind && name === metadata.name;
}
