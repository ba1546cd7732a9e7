import { ResourceQuota } from '@navarch/proto';
import { ageColumn, nameColumn } from './columns.ts';
import { defineKind } from './define-kind.ts';
import { validateQuota } from './quota-rules.ts';

export const resourceQuota = defineKind('resourceQuota', ResourceQuota, {
  group: '',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  ownColumns: true,
  columns: [
    nameColumn,
    { title: 'REQUEST', value: (quota) => usageText(quota, (name) => !name.startsWith('limits.')) },
    { title: 'LIMIT', value: (quota) => usageText(quota, (name) => name.startsWith('limits.')) },
    ageColumn,
  ],
  validate: validateQuota,
  example: 'kinds/resourcequota.yaml',
});

/** `pods: 3/10, requests.cpu: 2/4`. A question mark for what has not been counted yet. */
function usageText({ spec, status }: ResourceQuota, shown: (name: string) => boolean): string {
  return Object.entries(spec?.hard ?? {})
    .filter(([name]) => shown(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => `${name}: ${status?.used[name] ?? '?'}/${hard}`)
    .join(', ');
}
