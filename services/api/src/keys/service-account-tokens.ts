import {
  type KindDefinition,
  pod as podKind,
  secret as secretKind,
  serviceAccount as accountKind,
} from '@navarch/kinds';
import type { Clock } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import type { BoundObject, Pod, RequestTokenRequest } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import type { ObjectCache } from '../cache/object-cache.ts';
import { describe, notFound } from '../read/resource-name.ts';
import type { User } from '../access/caller.ts';
import { serviceAccountUsername } from '../access/policy.ts';
import type { ClusterKeys } from './cluster-keys.ts';
import { issuer, signToken, type TokenClaims, type VerifiedToken, verifyToken } from './tokens.ts';

const defaultSeconds = 3600;
const [leastSeconds, mostSeconds] = [600, 366 * 24 * 3600];

const boundKinds: Readonly<Record<string, { readonly kind: KindDefinition; readonly claim: 'pod' | 'secret' }>> = {
  Pod: { kind: podKind, claim: 'pod' },
  Secret: { kind: secretKind, claim: 'secret' },
};

/** A token for a ServiceAccount that is there. */
export async function requestToken(
  keys: ClusterKeys,
  { cache, clock, id }: { readonly cache: ObjectCache; readonly clock: Clock; readonly id: string },
  request: RequestTokenRequest,
): Promise<{ token: string; expires: number; audiences: readonly string[] }> {
  const { namespace, name, boundObject } = request;
  const asked = Number(request.expirationSeconds) || defaultSeconds;
  if (asked < leastSeconds || asked > mostSeconds) {
    throw new ApiError('BadRequest', `expirationSeconds must be from ${leastSeconds} to ${mostSeconds}, not ${asked}`);
  }
  const account = cache.get(accountKind, namespace, name);
  if (account === undefined) throw notFound(accountKind, name);
  const audiences = request.audiences.length === 0 ? [issuer] : request.audiences;
  const now = clock.now();
  const expires = now + asked * 1000;
  const claims: TokenClaims = {
    namespace,
    serviceAccount: { name, uid: account.object.metadata.uid },
    ...boundClaims(cache, namespace, name, boundObject),
  };
  return { token: await signToken(keys, claims, { audiences, now, expires, id }), expires, audiences };
}

function boundClaims(
  cache: ObjectCache,
  namespace: string,
  account: string,
  bound: BoundObject | undefined,
): Pick<TokenClaims, 'bound' | 'node'> {
  if (bound === undefined) return {};
  const known = boundKinds[bound.kind];
  if (known === undefined) {
    throw new ApiError('BadRequest', `a token can be bound to a Pod or a Secret, not to a ${bound.kind}`);
  }
  const { kind, claim } = known;
  const found = cache.get(kind, namespace, bound.name);
  if (found === undefined) throw notFound(kind, bound.name);
  const { uid } = found.object.metadata;
  if (bound.uid !== '' && bound.uid !== uid) {
    throw new ApiError('Conflict', `${describe(kind, namespace, bound.name)} is another object now: its uid is ${uid}`);
  }
  const { name } = bound;
  if (claim === 'secret') return { bound: { kind: claim, name, uid } };
  const { spec } = found.object as Pod; // the cache decodes a kind's objects with its message
  if (spec?.serviceAccountName !== account) {
    throw new ApiError('BadRequest', `${describe(kind, namespace, name)} does not run as ServiceAccount "${account}"`);
  }
  const node = spec.nodeName === '' ? undefined : { name: spec.nodeName, uid: '' };
  return { bound: { kind: claim, name, uid }, ...(node && { node }) };
}

/** Whose a token is. Throws Unauthorized for one that is not good, or no longer: its account or what it is bound to is gone. */
export async function reviewToken(
  keys: ClusterKeys,
  { cache, clock }: { readonly cache: ObjectCache; readonly clock: Clock },
  token: string,
  wanted: readonly string[],
): Promise<{ user: User; audiences: readonly string[] }> {
  const verified = await verifyToken(keys, token, {
    audiences: wanted.length === 0 ? [issuer] : wanted,
    now: clock.now(),
  });
  const { namespace, serviceAccount, bound } = verified.claims;
  isThere(
    cache.get(accountKind, namespace, serviceAccount.name),
    serviceAccount.uid,
    'the ServiceAccount of the token',
  );
  if (bound !== undefined) {
    const kind = bound.kind === 'pod' ? podKind : secretKind;
    isThere(cache.get(kind, namespace, bound.name), bound.uid, `the ${bound.kind} that the token is bound to`);
  }
  return { user: userOf(verified), audiences: verified.audiences };
}

function isThere(found: CachedObject | undefined, uid: string, what: string): void {
  if (found?.object.metadata.uid !== uid) throw new ApiError('Unauthorized', `${what} is gone`);
}

/** Source: Kubernetes' serviceaccount.UserInfo. */
function userOf({ claims, id }: VerifiedToken): User {
  const { namespace, serviceAccount, bound, node } = claims;
  const prefix = 'authentication.kubernetes.io';
  return {
    username: serviceAccountUsername(namespace, serviceAccount.name),
    uid: serviceAccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra: {
      [`${prefix}/credential-id`]: [`JTI=${id}`],
      ...(bound?.kind === 'pod' && { [`${prefix}/pod-name`]: [bound.name], [`${prefix}/pod-uid`]: [bound.uid] }),
      ...(node && { [`${prefix}/node-name`]: [node.name] }),
    },
  };
}
