import { RoleBinding } from '@navarch/proto';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define-kind.ts';
import { accessGroup } from './policy-rules.ts';
import { completeSubjects, roleColumn, subjectColumns, subjectErrors } from './subject-rules.ts';

export const roleBinding = defineKind('roleBinding', RoleBinding, {
  group: accessGroup,
  plural: 'rolebindings',
  nameFormat: 'path',
  ownColumns: true,
  columns: [nameColumn, roleColumn, ageColumn, ...subjectColumns],
  complete: completeSubjects,
  validate: ({ subjects }) => subjectErrors(subjects, 'Namespaced'),
  example: 'kinds/rolebinding.yaml',
});
