import { Queue } from '@navarch/proto';
import { ageColumn, nameColumn, orNone } from './columns.ts';
import { defineKind } from './define-kind.ts';
import { notNegative } from './pod-group.ts';

export const queue = defineKind('queue', Queue, {
  group: 'scheduling.navarch.io',
  plural: 'queues',
  scope: 'Cluster',
  ownColumns: true,
  columns: [
    nameColumn,
    { title: 'WAITING', type: 'integer', value: ({ status }) => status?.waiting ?? 0 },
    { title: 'ADMITTED', type: 'integer', value: ({ status }) => status?.admitted ?? 0 },
    { title: 'USED', value: usage },
    ageColumn,
  ],
  validate: ({ spec }) => notNegative(spec?.quota ?? {}, ['spec', 'quota']),
  example: 'kinds/queue.yaml',
});

/** `cpu: 6/16, pods: 3/10`. A question mark for what has not been counted yet. */
function usage({ spec, status }: Queue): string {
  const parts = Object.entries(spec?.quota ?? {})
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, limit]) => `${name}: ${status?.used[name] ?? '?'}/${limit}`);
  return orNone(parts.join(', '));
}
