import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject } from '@navarch/proto';
import { mastersGroup, type User } from './caller.ts';
import { allows, type Attributes } from './rules.ts';

/** The roles of a cluster and who has them. */
export interface RolesAndBindings {
  readonly roles: Iterable<Role>;
  readonly clusterRoles: Iterable<ClusterRole>;
  readonly roleBindings: Iterable<RoleBinding>;
  readonly clusterRoleBindings: Iterable<ClusterRoleBinding>;
}

export interface Decision {
  readonly allowed: boolean;
  /** By which binding; or what could not be taken into account, '' when there is nothing to say. */
  readonly reason: string;
}

/** What one binding gives to one subject. */
interface Grant {
  readonly rules: readonly PolicyRule[];
  /** How it is told, and what is wrong with it. */
  readonly told: string;
  readonly problem?: string;
}

const everything: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceUrls: [] },
  { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceUrls: ['*'] },
];

/** Who may do what, as roles and bindings say: Kubernetes' RBAC. Immutable; made anew when one of them changes. */
export class Policy {
  /** By namespace, '' for the cluster; then by subject. */
  readonly #grants = new Map<string, Map<string, Grant[]>>();
  readonly #rules: Rules;

  constructor({ roles, clusterRoles, roleBindings, clusterRoleBindings }: RolesAndBindings) {
    const rules: Rules = (this.#rules = new Map());
    for (const { metadata, rules: each } of clusterRoles) rules.set(roleKey('ClusterRole', '', metadata?.name), each);
    for (const { metadata, rules: each } of roles) {
      rules.set(roleKey('Role', metadata?.namespace ?? '', metadata?.name), each);
    }
    for (const binding of clusterRoleBindings) this.#add('ClusterRoleBinding', binding);
    for (const binding of roleBindings) this.#add('RoleBinding', binding);
  }

  /** Whether somebody may do something, and why. */
  decide(user: User, wanted: Attributes): Decision {
    if (user.groups.includes(mastersGroup)) return { allowed: true, reason: `${mastersGroup} may do everything` };
    const problems = new Set<string>();
    for (const { rules, told, problem } of this.#grantsOf(user, 'path' in wanted ? '' : wanted.namespace)) {
      if (rules.some((rule) => allows(rule, wanted))) return { allowed: true, reason: `RBAC: allowed by ${told}` };
      if (problem !== undefined) problems.add(problem);
    }
    return { allowed: false, reason: problems.size === 0 ? '' : `RBAC: ${[...problems].join(', ')}` };
  }

  /** All that somebody may do in a namespace, and what of it is not known. */
  rulesOf(user: User, namespace: string): { rules: readonly PolicyRule[]; problems: readonly string[] } {
    if (user.groups.includes(mastersGroup)) return { rules: everything, problems: [] };
    const grants = [...this.#grantsOf(user, namespace)];
    return {
      rules: grants.flatMap(({ rules }) => rules),
      problems: [...new Set(grants.flatMap(({ problem }) => problem ?? []))],
    };
  }

  /** What a role allows; undefined when there is no such role. */
  rulesIn(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    return this.#rules.get(roleKey(ref.kind, namespace, ref.name));
  }

  *#grantsOf({ username, groups }: User, namespace: string): Generator<Grant, void, void> {
    for (const place of new Set(['', namespace])) {
      const bySubject = this.#grants.get(place);
      if (bySubject === undefined) continue;
      yield* bySubject.get(`user ${username}`) ?? [];
      for (const group of groups) yield* bySubject.get(`group ${group}`) ?? [];
    }
  }

  #add(kind: string, { metadata, subjects, roleRef }: RoleBinding | ClusterRoleBinding): void {
    if (roleRef === undefined) return;
    const { name = '', namespace = '' } = metadata ?? {};
    const bySubject = this.#grants.get(namespace) ?? new Map<string, Grant[]>();
    this.#grants.set(namespace, bySubject);
    const rules = this.rulesIn(roleRef, namespace);
    const title = `${kind} "${namespace === '' ? name : `${name}/${namespace}`}" of ${roleRef.kind} "${roleRef.name}"`;
    for (const subject of subjects) {
      const key = subjectKey(subject, namespace);
      if (key === undefined) continue;
      const told = `${title} to ${subjectText(subject, namespace)}`;
      const problem = `${roleRef.kind.toLowerCase()}.rbac.authorization.k8s.io "${roleRef.name}" not found`;
      const grant = rules === undefined ? { rules: [], told, problem } : { rules, told };
      const grants = bySubject.get(key);
      if (grants === undefined) bySubject.set(key, [grant]);
      else grants.push(grant);
    }
  }
}

type Rules = Map<string, readonly PolicyRule[]>;

function roleKey(kind: string, namespace: string, name: string | undefined): string {
  return kind === 'Role' ? `Role ${namespace}/${name ?? ''}` : `ClusterRole ${name ?? ''}`;
}

function subjectKey({ kind, name, namespace }: Subject, bindingNamespace: string): string | undefined {
  switch (kind) {
    case 'User':
      return `user ${name}`;
    case 'Group':
      return `group ${name}`;
    case 'ServiceAccount':
      return `user ${serviceAccountUsername(namespace || bindingNamespace, name)}`;
    default:
      return undefined; // validation lets nothing else in
  }
}

function subjectText({ kind, name, namespace }: Subject, bindingNamespace: string): string {
  return kind === 'ServiceAccount' ? `${kind} "${name}/${namespace || bindingNamespace}"` : `${kind} "${name}"`;
}

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/ */
export function serviceAccountUsername(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}
