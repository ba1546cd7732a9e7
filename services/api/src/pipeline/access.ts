import { clusterRole, clusterRoleBinding, type KindDefinition, role, roleBinding } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '@navarch/proto';
import type { Caller, User } from '../access/caller.ts';
import { bindingEscalation, roleEscalation } from '../access/escalation.ts';
import { Policy } from '../access/policy.ts';
import type { Attributes, PathAttributes, ResourceAttributes } from '../access/rules.ts';
import { decodeObject } from '../cache/cached-object.ts';
import type { ObjectCache } from '../cache/object-cache.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** What a call wants to do. `namespace` is '' for all or none, `name` is '' for many. */
export interface Wanted {
  readonly verb: Verb;
  readonly kind: KindDefinition;
  readonly namespace: string;
  readonly name: string;
  readonly subresource?: Subresource;
}

export type Subresource =
  | 'status'
  | 'scale'
  | 'binding'
  | 'eviction'
  | 'log'
  | 'exec'
  | 'attach'
  | 'portforward'
  | 'ephemeralcontainers'
  | 'token'
  | 'metrics';

/** Refused as far as is known: whoever may do something may have been allowed to a moment ago. */
export class Denied extends ApiError {}

const policyKinds: readonly KindDefinition[] = [role, clusterRole, roleBinding, clusterRoleBinding];

/**
 * Who may do what: asked for every call. What the cluster's own components do is not looked at; what is done for a user has
 * to be allowed by the roles that the cache shows.
 */
export class Access {
  readonly #cache: ObjectCache;
  #policy: Policy | undefined;

  constructor(cache: ObjectCache) {
    this.#cache = cache;
    cache.onChange(policyKinds, () => (this.#policy = undefined));
  }

  /** The roles and bindings as they are now. */
  get policy(): Policy {
    return (this.#policy ??= new Policy({
      roles: this.#all<Role>(role),
      clusterRoles: this.#all<ClusterRole>(clusterRole),
      roleBindings: this.#all<RoleBinding>(roleBinding),
      clusterRoleBindings: this.#all<ClusterRoleBinding>(clusterRoleBinding),
    }));
  }

  /** Throws Denied (Forbidden) when `caller` may not. */
  authorize(caller: Caller, wanted: Wanted): void {
    if (caller !== 'component') this.#check(caller, attributesOf(wanted));
  }

  /** The same for what is no resource of a kind: a path, or a resource that is not kept. */
  authorizeOther(caller: Caller, wanted: Attributes): void {
    if (caller !== 'component') this.#check(caller, wanted);
  }

  /** Throws Forbidden for everybody but the cluster's own components and its operator. */
  authorizeComponent(caller: Caller, what: string): void {
    if (caller === 'component') return;
    throw new ApiError(
      'Forbidden',
      `user ${JSON.stringify(caller.username)} cannot ${what}: only the cluster itself can`,
    );
  }

  /** Throws Forbidden when a role or binding as it will be would give more than `caller` has. `body`: an encoded Resource. */
  authorizeGrant(
    caller: Caller,
    { kind, body, previous }: { kind: KindDefinition; body: Uint8Array; previous: unknown },
  ) {
    if (caller === 'component' || !policyKinds.includes(kind)) return;
    const next: unknown = decodeObject(kind, body);
    // The kind says what they are.
    const refusal =
      kind === role || kind === clusterRole
        ? roleEscalation(this.policy, caller, next as ClusterRole, previous as ClusterRole | undefined)
        : bindingEscalation(this.policy, caller, next as RoleBinding, previous as RoleBinding | undefined, kind.plural);
    if (refusal !== undefined) throw new Denied(refusal.reason, refusal.message);
  }

  #check(user: User, wanted: Attributes): void {
    const { allowed, reason } = this.policy.decide(user, wanted);
    if (!allowed) throw new Denied('Forbidden', refusalText(user, wanted, reason));
  }

  *#all<T>(kind: KindDefinition): Generator<T, void, void> {
    // The cache decodes a kind's objects with its message.
    for (const { object } of this.#cache.list(kind)) yield object as T;
  }
}

/** What a role must name to allow something. */
function attributesOf({ verb, kind, namespace, name, subresource }: Wanted): ResourceAttributes {
  const { group, plural: resource } = kind;
  // As Kubernetes serves them: what Pods and nodes use are resources of a group of their own.
  if (subresource === 'metrics') return { verb, group: 'metrics.k8s.io', resource, subresource: '', namespace, name };
  return { verb, group, resource, subresource: subresource ?? '', namespace, name };
}

/** In Kubernetes' words, which tools know. Source: apiserver's responsewriters.ForbiddenErrorMessage. */
export function refusalText({ username }: User, wanted: Attributes, reason: string): string {
  const because = reason === '' ? '' : `: ${reason}`;
  const user = `User ${JSON.stringify(username)} cannot ${wanted.verb}`;
  return 'path' in wanted
    ? `forbidden: ${user} ${pathText(wanted)}${because}`
    : `${resourceText(wanted, user)}${because}`;
}

function pathText({ path }: PathAttributes): string {
  return `path ${JSON.stringify(path)}`;
}

function resourceText(wanted: ResourceAttributes, user: string): string {
  const { group, resource, subresource, namespace, name } = wanted;
  const what = `${group === '' ? resource : `${resource}.${group}`}${name === '' ? '' : ` ${JSON.stringify(name)}`}`;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `${what} is forbidden: ${user} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${where}`;
}
