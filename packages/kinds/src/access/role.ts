import { Role } from '@navarch/proto';
import { createdColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define-kind.ts';
import { accessGroup, policyRuleErrors } from './policy-rules.ts';

export const role = defineKind('role', Role, {
  group: accessGroup,
  plural: 'roles',
  nameFormat: 'path',
  ownColumns: true,
  columns: [nameColumn, createdColumn],
  validate: ({ rules }) => policyRuleErrors(rules, 'Namespaced'),
  example: 'kinds/role.yaml',
});
