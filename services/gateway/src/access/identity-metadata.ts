import type { Metadata } from '@grpc/grpc-js';
import { identityKey } from '@navarch/machinery';
import { UserInfo } from '@navarch/proto';
import type { Identity } from '../identity.ts';

/** Who somebody is, as the api reads it. */
export function userInfoOf({ user, uid, groups, extra }: Identity): UserInfo {
  return UserInfo.fromPartial({ username: user, uid, groups: [...groups], extra: copied(extra) });
}

export function identityOf({ username, uid, groups, extra }: UserInfo): Identity {
  const texts = Object.entries(extra).map(([key, values]) => [key, (values ?? []).map(String)] as const);
  return { user: username, uid, groups, extra: Object.fromEntries(texts) };
}

/** The api holds calls that carry this to what the roles allow. Every call that is made for somebody must carry it. */
export function putIdentity(identity: Identity, metadata: Metadata): void {
  let bytes = encoded.get(identity);
  if (bytes === undefined) encoded.set(identity, (bytes = Buffer.from(UserInfo.encode(userInfoOf(identity)).finish())));
  metadata.set(identityKey, bytes);
}

/** Identities don't change, and those of a connection or a token come again and again. */
const encoded = new WeakMap<Identity, Buffer>();

function copied(extra: Identity['extra']): Record<string, string[]> {
  return Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]));
}
