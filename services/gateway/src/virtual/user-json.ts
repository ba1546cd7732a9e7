import type { Identity } from '../identity.ts';

/** authentication.k8s.io/v1 UserInfo. */
export function userJson({ user, uid, groups, extra }: Identity): object {
  return {
    username: user,
    ...(uid !== '' && { uid }),
    ...(groups.length > 0 && { groups }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}
