import { clusterRole as clusterRoleKind, role as roleKind } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import { type ClusterRole, PolicyRule, type Role, type RoleBinding } from '@navarch/proto';
import type { User } from './caller.ts';
import type { Policy } from './policy.ts';
import { type ResourceAttributes, uncovered } from './rules.ts';

const fullAuthority: readonly PolicyRule[] = [
  PolicyRule.fromJSON({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }),
  PolicyRule.fromJSON({ verbs: ['*'], nonResourceURLs: ['*'] }),
];

/**
 * Why somebody may not write a role as it will be: it would allow what they may not do themselves. Undefined when they may.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
export function roleEscalation(
  policy: Policy,
  user: User,
  next: Role | ClusterRole,
  previous: Role | ClusterRole | undefined,
): ApiError | undefined {
  const { name = '', namespace = '' } = next.metadata ?? {};
  const aggregation = 'aggregationRule' in next ? next.aggregationRule : undefined;
  const before = previous !== undefined && 'aggregationRule' in previous ? previous.aggregationRule : undefined;
  // Nothing is given that was not there before.
  if (previous !== undefined && same(next.rules, previous.rules) && same(aggregation, before)) return undefined;
  const kind = namespace === '' ? clusterRoleKind : roleKind;
  const about = { group: kind.group, resource: kind.plural, subresource: '', namespace, name };
  if (policy.decide(user, { ...about, verb: 'escalate' }).allowed) return undefined;
  // Who says whose rules a role gets must be able to have all rules.
  const given = aggregation === undefined ? next.rules : [...next.rules, ...fullAuthority];
  return missing(policy, user, given, about);
}

/** Why somebody may not bind a role to others: its rules are more than they have themselves. Undefined when they may. */
export function bindingEscalation(
  policy: Policy,
  user: User,
  next: Pick<RoleBinding, 'metadata' | 'subjects' | 'roleRef'>,
  previous: Pick<RoleBinding, 'subjects' | 'roleRef'> | undefined,
  resource: string,
): ApiError | undefined {
  const { roleRef, subjects } = next;
  if (roleRef === undefined) return undefined; // which validation refuses
  if (previous !== undefined && same(subjects, previous.subjects) && same(roleRef, previous.roleRef)) return undefined;
  const { name = '', namespace = '' } = next.metadata ?? {};
  const kind = roleRef.kind === 'Role' ? roleKind : clusterRoleKind;
  const role = { group: kind.group, resource: kind.plural, subresource: '', namespace, name: roleRef.name };
  if (policy.decide(user, { ...role, verb: 'bind' }).allowed) return undefined;
  const rules = policy.rulesIn(roleRef, namespace);
  if (rules === undefined) return new ApiError('NotFound', `${kind.resource} "${roleRef.name}" not found`);
  return missing(policy, user, rules, { ...role, resource, name });
}

function missing(
  policy: Policy,
  user: User,
  wanted: readonly PolicyRule[],
  { group, resource, namespace, name }: Pick<ResourceAttributes, 'group' | 'resource' | 'namespace' | 'name'>,
): ApiError | undefined {
  const lacking = uncovered(policy.rulesOf(user, namespace).rules, wanted);
  if (lacking.length === 0) return undefined;
  const groups = user.groups.map((each) => JSON.stringify(each)).join(' ');
  const rules = lacking.slice(0, 20).map(ruleText).join('\n');
  return new ApiError(
    'Forbidden',
    `${resource}.${group} ${JSON.stringify(name)} is forbidden: user ${JSON.stringify(user.username)} (groups=[${groups}]) ` +
      `is attempting to grant RBAC permissions not currently held:\n${rules}`,
  );
}

/** As Kubernetes prints it. */
function ruleText({ apiGroups, resources, resourceNames, nonResourceUrls, verbs }: PolicyRule): string {
  const parts = {
    APIGroups: apiGroups,
    Resources: resources,
    ResourceNames: resourceNames,
    NonResourceURLs: nonResourceUrls,
  };
  const texts = Object.entries({ ...parts, Verbs: verbs })
    .filter(([, values]) => values.length > 0)
    .map(([title, values]) => `${title}:${JSON.stringify(values)}`);
  return `{${texts.join(', ')}}`;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
