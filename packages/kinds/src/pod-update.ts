import { isDeepStrictEqual } from 'node:util';
import { type FieldError, messageSchema } from '@navarch/machinery';
import { type Container, type Pod, PodSpec } from '@navarch/proto';
import { validateEphemeralUpdate } from './ephemeral-containers.ts';
import { validateTolerationsUpdate } from './taints.ts';

/**
 * A Pod's spec stays as it was made, but for its containers' images, activeDeadlineSeconds (which may be set or shortened),
 * tolerations (which may be added), scheduling gates (which may be removed) and nodeName (which may be set once). Ephemeral
 * containers may be added. While it has a gate, labels may be added to its nodeSelector.
 */
export function validatePodUpdate(pod: Pod, before: Pod): FieldError[] {
  const [next, previous] = [pod.spec, before.spec];
  if (next === undefined || previous === undefined) return [];
  const errors = [
    ...validateTolerationsUpdate(next.tolerations, previous.tolerations, 'spec.tolerations'),
    ...validateEphemeralUpdate(pod, before),
  ];
  const gates = previous.schedulingGates.map(({ name }) => name);
  for (const [index, { name }] of next.schedulingGates.entries()) {
    if (gates.includes(name)) continue;
    errors.push({ path: `spec.schedulingGates[${index}]`, message: 'gates can be removed from a Pod, but not added' });
  }
  const narrowed =
    gates.length > 0 &&
    Object.entries(previous.nodeSelector).every(([label, value]) => next.nodeSelector[label] === value);
  const { activeDeadlineSeconds: after } = next;
  const deadline = previous.activeDeadlineSeconds;
  if (deadline !== undefined && (after === undefined || after > deadline)) {
    errors.push({ path: 'spec.activeDeadlineSeconds', message: `may only be shortened; it was ${deadline}` });
  }
  const comparable: PodSpec = {
    ...next,
    activeDeadlineSeconds: deadline,
    tolerations: previous.tolerations,
    schedulingGates: previous.schedulingGates,
    nodeSelector: narrowed ? previous.nodeSelector : next.nodeSelector,
    // Pods of older days have none, until they are written again.
    securityContext: previous.securityContext === undefined ? undefined : next.securityContext,
    nodeName: previous.nodeName === '' ? '' : next.nodeName,
    containers: withImagesOf(next.containers, previous.containers),
    initContainers: withImagesOf(next.initContainers, previous.initContainers),
    ephemeralContainers: previous.ephemeralContainers,
  };
  const message = "a Pod can not change but for its containers' images; delete it and make it anew";
  return [...errors, ...changedSpecFields(comparable, previous).map((path) => ({ path, message }))];
}

/** The paths of the fields of a Pod's spec that differ. */
export function changedSpecFields(next: PodSpec, previous: PodSpec): readonly string[] {
  return messageSchema(PodSpec.$type)
    .fields.filter(({ property }) => {
      const key = property as keyof PodSpec; // the schema describes PodSpec
      return !isDeepStrictEqual(next[key], previous[key]);
    })
    .map(({ jsonName }) => `spec.${jsonName}`);
}

function withImagesOf(next: readonly Container[], previous: readonly Container[]): Container[] {
  return next.map((container, index) => ({ ...container, image: previous[index]?.image ?? container.image }));
}
