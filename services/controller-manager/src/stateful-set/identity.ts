import { revisionHashLabel, claimVolumes, statefulSet as statefulSetKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod, PodTemplateSpec, StatefulSet } from '@navarch/proto';
import { podFromTemplate } from '../pod-from-template.ts';

/** Labels by which Services and people choose one Pod of a set. Kubernetes' names. */
export const podNameLabel = 'statefulset.kubernetes.io/pod-name';
export const podIndexLabel = 'apps.kubernetes.io/pod-index';

type Named = { readonly metadata: { readonly name: string } };

export function podName({ metadata }: Named, ordinal: number): string {
  return `${metadata.name}-${ordinal}`;
}

/** The name of the set that a Pod of this name would be of, and its number there; undefined when it would be of none. */
export function parsePodName(name: string): { readonly set: string; readonly ordinal: number } | undefined {
  const [, set, digits] = /^(.+)-(0|[1-9]\d{0,9})$/.exec(name) ?? [];
  return set === undefined ? undefined : { set, ordinal: Number(digits) };
}

/** The Pod's number in the set; undefined for a Pod that can't be of the set, whatever its labels. */
export function ordinalOf(set: Named, pod: Named): number | undefined {
  const parsed = parsePodName(pod.metadata.name);
  return parsed?.set === set.metadata.name ? parsed.ordinal : undefined;
}

/** By the volume's name in the Pod, the claim that is the Pod's own. */
export function claimNames(set: Live<StatefulSet>, ordinal: number) {
  return set.spec.volumeClaimTemplates.map((template) => {
    const { name = '' } = template.metadata ?? {};
    return { name, template, claimName: `${name}-${podName(set, ordinal)}` };
  });
}

/** The revision that the Pod was made of; '' when it doesn't say. */
export function revisionOf({ metadata }: Live<Pod>): string {
  return metadata.labels[revisionHashLabel] ?? '';
}

export function newPod(
  set: Live<StatefulSet>,
  ordinal: number,
  template: PodTemplateSpec | undefined,
  revision: string,
): Pod {
  const name = podName(set, ordinal);
  const labels = { ...identityLabels(name, ordinal), [revisionHashLabel]: revision };
  const pod = podFromTemplate(statefulSetKind, set, template, { name, labels });
  if (pod.spec === undefined) return pod;
  const volumes = claimVolumes(pod.spec, claimNames(set, ordinal));
  return { ...pod, spec: { ...pod.spec, volumes, hostname: name, subdomain: set.spec.serviceName } };
}

/** The Pod with the labels of its identity; undefined when it has them. An adopted Pod may not. */
export function withIdentity(set: Live<StatefulSet>, pod: Live<Pod>): Live<Pod> | undefined {
  const { metadata } = pod;
  const wanted = Object.entries(identityLabels(metadata.name, ordinalOf(set, pod) ?? 0));
  if (wanted.every(([key, value]) => metadata.labels[key] === value)) return undefined;
  return { ...pod, metadata: { ...metadata, labels: { ...metadata.labels, ...Object.fromEntries(wanted) } } };
}

function identityLabels(name: string, ordinal: number): Record<string, string> {
  return { [podNameLabel]: name, [podIndexLabel]: String(ordinal) };
}
