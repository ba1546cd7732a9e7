import type { FieldError } from '@navarch/machinery';
import type { PodSpec } from '@navarch/proto';
import { validatePlacement } from './affinity-rules.ts';
import { validateContainer } from './container-rules.ts';
import { validateEphemeralContainers } from './ephemeral-containers.ts';
import { duplicates } from './rules.ts';
import { validateTolerations } from './taints.ts';
import { validateVolume } from './volume-rules.ts';

/**
 * What must hold in a PodSpec beyond the contract's rules for single fields. `path` is where it stands: 'spec' or
 * 'spec.template.spec'. Source: the Kubernetes API reference and kubernetes pkg/apis/core/validation.
 */
export function validatePodSpec(spec: PodSpec | undefined, path: string): FieldError[] {
  if (spec === undefined) return [];
  const { initContainers, containers, volumes, tolerations } = spec;
  const first = initContainers.length;
  const containerPath = (index: number) =>
    index < first ? `${path}.initContainers[${index}]` : `${path}.containers[${index - first}]`;
  const all = [...initContainers, ...containers];
  const ephemeral = (index: number) => `${path}.ephemeralContainers[${index - all.length}]`;
  return [
    ...duplicates(
      [...all, ...spec.ephemeralContainers],
      ({ name }) => name,
      (index) => `${index < all.length ? containerPath(index) : ephemeral(index)}.name`,
    ),
    ...all.flatMap((container, index) => validateContainer(container, containerPath(index), spec, index < first)),
    ...validateEphemeralContainers(spec, path),
    ...duplicates(
      volumes,
      ({ name }) => name,
      (index) => `${path}.volumes[${index}].name`,
    ),
    ...volumes.flatMap((volume, index) => validateVolume(volume, `${path}.volumes[${index}]`, spec)),
    ...validateTolerations(tolerations, `${path}.tolerations`),
    ...validatePlacement(spec, path),
    ...duplicates(
      containers.flatMap(({ ports }) => ports),
      ({ hostPort, protocol = 'TCP' }) => (hostPort === 0 ? undefined : `${hostPort}/${protocol}`),
      () => `${path}.containers`,
    ),
  ];
}
