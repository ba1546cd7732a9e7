import type { FieldError } from '@navarch/machinery';
import type { Deployment, ReplicaSet } from '@navarch/proto';
import { labelsText, none } from './columns.ts';
import type { Column } from './define-kind.ts';

/** What kinds that make Pods from a template have in common. */
type Workload = Deployment | ReplicaSet;

export const templateColumns: readonly Column<Workload>[] = [
  { title: 'CONTAINERS', wide: true, value: (workload) => containers(workload, 'name') },
  { title: 'IMAGES', wide: true, value: (workload) => containers(workload, 'image') },
  { title: 'SELECTOR', wide: true, value: ({ spec }) => labelsText(spec?.selector?.matchLabels) },
];

export function validateTemplate(_workload: Workload): FieldError[] {
  return [];
}

function containers({ spec }: Workload, field: 'name' | 'image'): string {
  return (spec?.template?.spec?.containers ?? []).map((container) => container[field]).join(',') || none;
}
