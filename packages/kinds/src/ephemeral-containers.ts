import { isDeepStrictEqual } from 'node:util';
import { type FieldError, messageSchema } from '@navarch/machinery';
import { EphemeralContainer, type Pod, type PodSpec } from '@navarch/proto';
import { validateContainer } from './container-rules.ts';

/** What an ephemeral container can't have: nothing waits for it, and no room was kept for it. Source: the API reference. */
const without = ['ports', 'resources', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;

export function validateEphemeralContainers(spec: PodSpec, path: string): FieldError[] {
  if (path !== 'spec' && spec.ephemeralContainers.length > 0) {
    return [{ path: `${path}.ephemeralContainers`, message: 'are added to Pods that run, and are in no template' }];
  }
  const targets = spec.containers.map(({ name }) => name);
  return spec.ephemeralContainers.flatMap((container, index) => {
    const at = `${path}.ephemeralContainers[${index}]`;
    const errors = without
      .filter((field) => !isEmpty(container[field]))
      .map((field) => ({ path: `${at}.${field}`, message: 'an ephemeral container has none' }));
    const { targetContainerName: target } = container;
    if (target !== '' && !targets.includes(target)) {
      errors.push({
        path: `${at}.targetContainerName`,
        message: `there is no container "${target}"; the Pod has ${targets.join(', ')}`,
      });
    }
    return [...errors, ...validateContainer(container, at, spec, false)];
  });
}

/** Programs send empty parts as well: `resources: {}`. */
function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && Object.values(value).every(isEmpty));
}

/** Ephemeral containers can be added to a Pod, and stay then as they are. */
export function validateEphemeralUpdate({ spec: next }: Pod, { spec: previous }: Pod): FieldError[] {
  return (previous?.ephemeralContainers ?? []).flatMap((before) => {
    const index = next?.ephemeralContainers.findIndex(({ name }) => name === before.name) ?? -1;
    const after = next?.ephemeralContainers[index];
    const path = 'spec.ephemeralContainers';
    if (after === undefined) return [{ path, message: `"${before.name}" can not be taken away again` }];
    return messageSchema(EphemeralContainer.$type)
      .fields.filter(({ property }) => {
        const key = property as keyof EphemeralContainer; // the schema describes EphemeralContainer
        return !isDeepStrictEqual(after[key], before[key]);
      })
      .map(({ jsonName }) => ({ path: `${path}[${index}].${jsonName}`, message: 'can not change; add another one' }));
  });
}
