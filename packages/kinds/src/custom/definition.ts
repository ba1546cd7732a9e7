import { CustomResourceDefinition } from '@navarch/proto';
import { createdColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define-kind.ts';
import { completeDefinition } from './complete.ts';
import { validateDefinition, validateDefinitionUpdate } from './rules.ts';

export const customResourceDefinition = defineKind('customResourceDefinition', CustomResourceDefinition, {
  group: 'apiextensions.k8s.io',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  scope: 'Cluster',
  ownColumns: true,
  columns: [
    nameColumn,
    createdColumn,
    { title: 'KIND', value: ({ spec }) => spec?.names?.kind ?? '', wide: true },
    { title: 'SCOPE', value: ({ spec }) => spec?.scope ?? '', wide: true },
    { title: 'VERSIONS', value: ({ spec }) => spec?.versions.map(({ name }) => name).join(',') ?? '', wide: true },
    {
      title: 'ESTABLISHED',
      value: ({ status }) => status?.conditions.find(({ type }) => type === 'Established')?.status ?? '',
      wide: true,
    },
  ],
  complete: completeDefinition,
  validate: validateDefinition,
  validateUpdate: validateDefinitionUpdate,
  example: 'kinds/customresourcedefinition.yaml',
});
