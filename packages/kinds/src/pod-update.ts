import { isDeepStrictEqual } from 'node:util';
import { type FieldError, messageSchema } from '@navarch/machinery';
import { type Container, type Pod, PodSpec } from '@navarch/proto';
import { validateTolerationsUpdate } from './taints.ts';

/**
 * A Pod's spec stays as it was made, but for its containers' images, activeDeadlineSeconds (which may be set or shortened),
 * tolerations (which may be added), scheduling gates (which may be removed) and nodeName (which may be set once). While it
 * has a gate, labels may be added to its nodeSelector.
 */
export function validatePodUpdate({ spec: next }: Pod, { spec: previous }: Pod): FieldError[] {
  if (next === undefined || previous === undefined) return [];
  const errors = validateTolerationsUpdate(next.tolerations, previous.tolerations, 'spec.tolerations');
  const gates = previous.schedulingGates.map(({ name }) => name);
  for (const [index, { name }] of next.schedulingGates.entries()) {
    if (gates.includes(name)) continue;
    errors.push({ path: `spec.schedulingGates[${index}]`, message: 'gates can be removed from a Pod, but not added' });
  }
  const narrowed =
    gates.length > 0 &&
    Object.entries(previous.nodeSelector).every(([label, value]) => next.nodeSelector[label] === value);
  const { activeDeadlineSeconds: after } = next;
  const before = previous.activeDeadlineSeconds;
  if (before !== undefined && (after === undefined || after > before)) {
    errors.push({ path: 'spec.activeDeadlineSeconds', message: `may only be shortened; it was ${before}` });
  }
  const comparable: PodSpec = {
    ...next,
    activeDeadlineSeconds: before,
    tolerations: previous.tolerations,
    schedulingGates: previous.schedulingGates,
    nodeSelector: narrowed ? previous.nodeSelector : next.nodeSelector,
    nodeName: previous.nodeName === '' ? '' : next.nodeName,
    containers: withImagesOf(next.containers, previous.containers),
    initContainers: withImagesOf(next.initContainers, previous.initContainers),
  };
  for (const { jsonName, property } of messageSchema(PodSpec.$type).fields) {
    const key = property as keyof PodSpec; // the schema describes PodSpec
    if (isDeepStrictEqual(comparable[key], previous[key])) continue;
    const message = "a Pod can not change but for its containers' images; delete it and make it anew";
    errors.push({ path: `spec.${jsonName}`, message });
  }
  return errors;
}

function withImagesOf(next: readonly Container[], previous: readonly Container[]): Container[] {
  return next.map((container, index) => ({ ...container, image: previous[index]?.image ?? container.image }));
}
