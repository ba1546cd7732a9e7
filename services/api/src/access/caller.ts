import type { Metadata } from '@grpc/grpc-js';
import { ApiError, identityKey } from '@navarch/machinery';
import { UserInfo } from '@navarch/proto';

/** Somebody that a call is made for. */
export type User = Readonly<Pick<UserInfo, 'username' | 'uid' | 'extra'>> & { readonly groups: readonly string[] };

/**
 * Who calls: a user, or one of the cluster's own components or its operator, who may do everything. Nobody can come to more
 * by saying who they are: a call with an identity may do less than one without.
 */
export type Caller = User | 'component';

/** The members may do everything. Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
export const mastersGroup = 'system:masters';

/** The caller behind a call. Throws Unauthorized when it says who that is in a way that can't be read. */
export function authenticate(metadata: Metadata): Caller {
  const given = metadata.get(identityKey);
  if (given.length === 0) return 'component';
  const [encoded] = given;
  const user = given.length === 1 && encoded instanceof Uint8Array ? decoded(encoded) : undefined;
  if (user === undefined || user.username === '') {
    throw new ApiError('Unauthorized', `${identityKey} must be one UserInfo with a username`);
  }
  return user;
}

function decoded(encoded: Uint8Array): User | undefined {
  try {
    return UserInfo.decode(encoded);
  } catch {
    return undefined; // what it is not, is said by the caller
  }
}
