import { limitRange as limitRangeKind, persistentVolumeClaim as claimKind, pod as podKind } from '@navarch/kinds';
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
  PodSpec,
  ResourceRequirements,
} from '@navarch/proto';
import type { View } from '../write.ts';
import { forbidden } from './forbidden.ts';
import { breaches, claimBreaches } from './limit-bounds.ts';
import type { Link } from './link.ts';

/** Containers that say nothing get what the namespace's LimitRanges say. Of several, the first by name. */
export const limitDefaults: Link = {
  admit: ({ circumstances: { view }, kind, next, previous }) => {
    const { spec } = next as Pod; // the next line looks at the kind
    if (kind.case !== podKind.case || previous !== undefined || spec === undefined) return undefined;
    const items = limitsIn(view, next.metadata.namespace).filter(({ type }) => type === 'Container');
    if (items.length === 0) return undefined;
    const complete = (containers: readonly Container[]) =>
      containers.map((container) => ({ ...container, resources: items.reduce(completed, container.resources) }));
    next.spec = {
      ...spec,
      containers: complete(spec.containers),
      initContainers: complete(spec.initContainers),
    } satisfies PodSpec;
    return undefined;
  },
};

/** A Pod must keep to the bounds of its namespace's LimitRanges when it is made. */
export const limitBounds: Link = {
  admit: ({ circumstances: { view }, kind, next, previous }) => {
    const { spec } = next as Pod; // the next line looks at the kind
    if (kind.case !== podKind.case || previous !== undefined || spec === undefined) return undefined;
    const broken = limitsIn(view, next.metadata.namespace).flatMap((item) => breaches(item, spec));
    if (broken.length > 0) throw forbidden(next, podKind, broken.join('; '));
    return undefined;
  },
};

/** A claim must ask for no less and no more storage than its namespace's LimitRanges say when it is made. */
export const claimBounds: Link = {
  admit: ({ circumstances: { view }, kind, next, previous }) => {
    const { spec } = next as PersistentVolumeClaim; // the next line looks at the kind
    if (kind.case !== claimKind.case || previous !== undefined || spec === undefined) return undefined;
    const broken = limitsIn(view, next.metadata.namespace).flatMap((item) => claimBreaches(item, spec));
    if (broken.length > 0) throw forbidden(next, claimKind, broken.join('; '));
    return undefined;
  },
};

function limitsIn(view: View, namespace: string): readonly LimitRangeItem[] {
  return [...view.list(limitRangeKind, namespace)].flatMap(({ object }) => {
    return (object as LimitRange).spec?.limits ?? []; // the cache decodes a kind's objects with its message
  });
}

function completed(
  resources: ResourceRequirements | undefined,
  { default: limits, defaultRequest }: LimitRangeItem,
): ResourceRequirements {
  return {
    limits: { ...limits, ...resources?.limits },
    requests: { ...defaultRequest, ...resources?.requests },
  };
}
