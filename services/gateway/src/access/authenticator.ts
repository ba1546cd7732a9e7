import type { PeerCertificate } from 'node:tls';
import { ApiError } from '@navarch/machinery';
import { anonymous, type Authenticator, type Credentials, type Identity } from '../identity.ts';
import type { Impersonation } from './impersonation.ts';
import type { TokenReviews } from './token-reviews.ts';

const authenticated = 'system:authenticated';

/**
 * Who asks: who a certificate of the cluster's authority tells of, else whose the bearer token is, else nobody known. What is
 * shown and not good is refused, never passed over. Who may speak for others is that one then.
 */
export class RequestAuthenticator implements Authenticator {
  readonly #tokens: Pick<TokenReviews, 'review'>;
  readonly #impersonation: Pick<Impersonation, 'apply'>;

  constructor(options: { tokens: Pick<TokenReviews, 'review'>; impersonation: Pick<Impersonation, 'apply'> }) {
    this.#tokens = options.tokens;
    this.#impersonation = options.impersonation;
  }

  async authenticate(credentials: Credentials): Promise<Identity> {
    return await this.#impersonation.apply(await this.#whoAsks(credentials), credentials.headers);
  }

  async #whoAsks({ headers, peerCertificate, peerIsTrusted }: Credentials): Promise<Identity> {
    if (peerCertificate !== undefined && peerIsTrusted) return known(peerCertificate);
    const { authorization } = headers;
    if (authorization !== undefined) return await this.#tokens.review(bearerIn(authorization));
    if (peerCertificate === undefined) return anonymous;
    throw new ApiError('Unauthorized', "Unauthorized: the client certificate is not one of this cluster's authority");
  }
}

/** One identity for all requests of a connection, so that what is made of it is made once. */
function known(certificate: PeerCertificate): Identity {
  let identity = identities.get(certificate);
  if (identity === undefined) identities.set(certificate, (identity = certificateIdentity(certificate)));
  return identity;
}

const identities = new WeakMap<PeerCertificate, Identity>();

/** Who a certificate tells of: the common name is the user, each organization a group. */
export function certificateIdentity({ subject }: Pick<PeerCertificate, 'subject'>): Identity {
  const { CN, O } = subject as { CN?: string | string[]; O?: string | string[] }; // several of a kind come as a list
  const names = [CN ?? []].flat();
  const [user = ''] = names;
  if (user === '' || names.length > 1) {
    throw new ApiError('Unauthorized', 'Unauthorized: the client certificate has no common name, or several');
  }
  return { user, groups: [...new Set([...[O ?? []].flat(), authenticated])], uid: '', extra: {} };
}

function bearerIn(authorization: string): string {
  const [, token] = /^bearer +([\x21-\x7e]+) *$/i.exec(authorization) ?? [];
  if (token === undefined) throw new ApiError('Unauthorized', 'Unauthorized: the authorization must be a bearer token');
  return token;
}
