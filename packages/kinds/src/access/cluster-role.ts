import type { FieldError } from '@navarch/machinery';
import { ClusterRole } from '@navarch/proto';
import { createdColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define-kind.ts';
import { validateSelectorValues } from '../selector-rules.ts';
import { accessGroup, policyRuleErrors } from './policy-rules.ts';

export const clusterRole = defineKind('clusterRole', ClusterRole, {
  group: accessGroup,
  plural: 'clusterroles',
  scope: 'Cluster',
  nameFormat: 'path',
  ownColumns: true,
  columns: [nameColumn, createdColumn],
  validate: ({ rules, aggregationRule }) => {
    const errors: FieldError[] = policyRuleErrors(rules, 'Cluster');
    if (aggregationRule === undefined) return errors;
    const { clusterRoleSelectors } = aggregationRule;
    const path = 'aggregationRule.clusterRoleSelectors';
    if (clusterRoleSelectors.length === 0) errors.push({ path, message: 'must hold at least one selector' });
    const selectors = clusterRoleSelectors.flatMap((each, i) => validateSelectorValues(each, `${path}[${i}]`));
    return [...errors, ...selectors];
  },
  example: 'kinds/clusterrole.yaml',
});
