import { isDeepStrictEqual } from 'node:util';
import { changedSpecFields, pod } from '@navarch/kinds';
import type { FieldError } from '@navarch/machinery';
import type { Pod, PodSpec } from '@navarch/proto';
import type { Link, Step } from './link.ts';

/**
 * Programs come into a running Pod by the subresource ephemeralcontainers, and nothing else does: so that who may change or
 * make Pods is not thereby let into those that run, nor who may look into them let change them.
 */
export const ephemeralContainers: Link = {
  admit: (step) => (step.kind.case === pod.case ? { errors: errors(step) } : undefined),
};

function errors({ next, previous, door }: Step): FieldError[] {
  const after = next.spec as PodSpec | undefined; // of a Pod
  const before = (previous?.object as Pod | undefined)?.spec;
  if (door === 'ephemeralcontainers' && after !== undefined && before !== undefined) {
    const message = 'can not change through ephemeralcontainers, which adds ephemeral containers and nothing else';
    const { ephemeralContainers } = after;
    return changedSpecFields(after, { ...before, ephemeralContainers }).map((path) => ({ path, message }));
  }
  if (isDeepStrictEqual(after?.ephemeralContainers ?? [], before?.ephemeralContainers ?? [])) return [];
  const message = 'is set by the subresource ephemeralcontainers alone (navctl debug, kubectl debug)';
  return [{ path: 'spec.ephemeralContainers', message }];
}
