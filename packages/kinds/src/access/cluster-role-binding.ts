import { ClusterRoleBinding } from '@navarch/proto';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define-kind.ts';
import { accessGroup } from './policy-rules.ts';
import { completeSubjects, roleColumn, subjectColumns, subjectErrors } from './subject-rules.ts';

export const clusterRoleBinding = defineKind('clusterRoleBinding', ClusterRoleBinding, {
  group: accessGroup,
  plural: 'clusterrolebindings',
  scope: 'Cluster',
  nameFormat: 'path',
  ownColumns: true,
  columns: [nameColumn, roleColumn, ageColumn, ...subjectColumns],
  complete: completeSubjects,
  validate: ({ subjects, roleRef }) => {
    const errors = subjectErrors(subjects, 'Cluster');
    if (roleRef?.kind !== 'Role') return errors;
    return [...errors, { path: 'roleRef.kind', message: 'must be ClusterRole: a Role is in a namespace' }];
  },
  example: 'kinds/clusterrolebinding.yaml',
});
