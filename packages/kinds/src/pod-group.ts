import { type FieldError, formatPath, parseQuantity } from '@navarch/machinery';
import { PodGroup } from '@navarch/proto';
import { ageColumn, nameColumn, orNone } from './columns.ts';
import { defineKind } from './define-kind.ts';

/** The label by which a Pod joins the PodGroup of that name in its namespace. Source: kubernetes-sigs/scheduler-plugins. */
export const podGroupLabel = 'scheduling.x-k8s.io/pod-group';

export const podGroup = defineKind('podGroup', PodGroup, {
  group: 'scheduling.x-k8s.io',
  plural: 'podgroups',
  shortNames: ['pg', 'pgs'],
  ownColumns: true,
  columns: [
    nameColumn,
    { title: 'PHASE', value: ({ status }) => status?.phase ?? '' },
    { title: 'MINMEMBER', type: 'integer', value: ({ spec }) => spec?.minMember ?? 1 },
    { title: 'MEMBERS', type: 'integer', value: ({ status }) => status?.members ?? 0 },
    { title: 'SCHEDULED', type: 'integer', value: ({ status }) => status?.scheduled ?? 0 },
    { title: 'RUNNING', type: 'integer', value: ({ status }) => status?.running ?? 0 },
    { title: 'SUCCEEDED', type: 'integer', value: ({ status }) => status?.succeeded ?? 0 },
    { title: 'FAILED', type: 'integer', value: ({ status }) => status?.failed ?? 0 },
    ageColumn,
    { title: 'QUEUE', wide: true, value: ({ spec }) => orNone(spec?.queue ?? '') },
    { title: 'WAITS FOR', wide: true, value: waitsFor },
  ],
  validate: ({ spec }) => notNegative(spec?.minResources ?? {}, ['spec', 'minResources']),
  example: 'kinds/podgroup.yaml',
});

/** Amounts of resources must not be less than nothing. */
export function notNegative(amounts: Readonly<Record<string, string>>, path: readonly string[]): FieldError[] {
  return Object.entries(amounts).flatMap(([name, text]) => {
    if ((parseQuantity(text) ?? 0n) >= 0n) return [];
    return [{ path: formatPath([...path, name]), message: `"${text}" must not be negative` }];
  });
}

function waitsFor({ status }: PodGroup): string {
  const condition = status?.conditions.find(({ type }) => type === 'Scheduled');
  return orNone(condition?.status === 'False' ? condition.message : '');
}
