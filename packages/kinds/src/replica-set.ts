import { ReplicaSet } from '@navarch/proto';
import { defineKind } from './define-kind.ts';
import { completePodSpec } from './pod-complete.ts';
import { templateColumns, templateScale, validateTemplate } from './template.ts';

export const replicaSet = defineKind('replicaSet', ReplicaSet, {
  group: 'apps',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  columns: [
    { title: 'DESIRED', type: 'integer', value: ({ spec }) => spec?.replicas ?? 1 },
    { title: 'CURRENT', type: 'integer', value: ({ status }) => status?.replicas ?? 0 },
    { title: 'READY', type: 'integer', value: ({ status }) => status?.readyReplicas ?? 0 },
    ...templateColumns,
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  complete: ({ spec }) => completePodSpec(spec?.template?.spec),
  validate: validateTemplate,
  scale: templateScale,
  example: 'kinds/replicaset.yaml',
});
