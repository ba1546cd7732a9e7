import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from '@navarch/machinery';
import type { ResourceAccess } from '@navarch/proto';
import type { Identity } from '../identity.ts';
import type { AccessReviews } from './access-reviews.ts';

/**
 * Somebody who asks as somebody else (`kubectl --as`): each thing that they say to be, they must be allowed to impersonate.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
 */
export class Impersonation {
  readonly #reviews: Pick<AccessReviews, 'check'>;

  constructor(reviews: Pick<AccessReviews, 'check'>) {
    this.#reviews = reviews;
  }

  async apply(identity: Identity, headers: IncomingHttpHeaders): Promise<Identity> {
    const asked = wanted(headers);
    if (asked === undefined) return identity;
    for (const resource of asked.needed) await this.#reviews.check(identity, resource);
    return { ...asked.identity, by: identity };
  }
}

/** Who a request asks to be, and what has to be allowed for that; undefined when it asks for nothing. */
export function wanted(headers: IncomingHttpHeaders): { identity: Identity; needed: ResourceAccess[] } | undefined {
  const user = String(headers['impersonate-user'] ?? '');
  const uid = String(headers['impersonate-uid'] ?? '');
  const groups = texts(headers['impersonate-group']);
  const extra: Record<string, readonly string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith('impersonate-extra-')) continue;
    extra[decoded(name.slice('impersonate-extra-'.length))] = texts(value);
  }
  if (user === '') {
    if (uid === '' && groups.length === 0 && Object.keys(extra).length === 0) return undefined;
    throw new ApiError('BadRequest', 'groups, uid and extra can only be impersonated together with a user');
  }
  const [, namespace, account] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? [];
  const access = (resource: string, name: string, more: Partial<ResourceAccess> = {}): ResourceAccess => {
    return { verb: 'impersonate', group: '', resource, subresource: '', namespace: '', name, ...more };
  };
  const group = 'authentication.k8s.io';
  const needed = [
    namespace !== undefined && account !== undefined
      ? access('serviceaccounts', account, { namespace })
      : access('users', user),
    ...groups.map((name) => access('groups', name)),
    ...(uid === '' ? [] : [access('uids', uid, { group })]),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => access('userextras', value, { group, subresource: key })),
    ),
  ];
  const own = namespace === undefined ? [] : ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  const kind = user === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated';
  const all = [...new Set([...(groups.length > 0 ? groups : own), kind])];
  return { identity: { user, uid, groups: all, extra }, needed };
}

function texts(value: string | string[] | undefined): string[] {
  return [value ?? []].flat().flatMap((each) => each.split(',').map((text) => text.trim()));
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    throw new ApiError('BadRequest', 'the name of an Impersonate-Extra header is not percent-encoded rightly');
  }
}
