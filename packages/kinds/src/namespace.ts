import { Namespace } from '@navarch/proto';
import { defineKind } from './define-kind.ts';

export const namespace = defineKind('namespace', Namespace, {
  group: '',
  plural: 'namespaces',
  shortNames: ['ns'],
  scope: 'Cluster',
  nameFormat: 'label',
  columns: [{ title: 'STATUS', value: ({ status }) => status?.phase || 'Active' }],
  selectableFields: { 'status.phase': ({ status }) => status?.phase ?? '' },
  example: 'kinds/namespace.yaml',
});
