import type { IncomingHttpHeaders } from 'node:http';
import type { PeerCertificate } from 'node:tls';

/** Who asks. Source of the words: the Kubernetes API, authentication/v1 UserInfo. */
export interface Identity {
  readonly user: string;
  readonly groups: readonly string[];
  readonly uid: string;
  readonly extra: Readonly<Record<string, readonly string[]>>;
  /** Who it really is, when that one asks in this one's name. */
  readonly by?: Identity;
}

/** What a request shows of who makes it. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  /** Undefined without one; what it says is not checked yet unless `peerIsTrusted`. */
  readonly peerCertificate: PeerCertificate | undefined;
  /** The certificate's signature was checked against the server's own authority. */
  readonly peerIsTrusted: boolean;
  readonly remoteAddress: string;
}

/** Says who asks. Throws ApiError('Unauthorized') for credentials that are wrong. */
export interface Authenticator {
  authenticate(credentials: Credentials): Promise<Identity>;
}

export const anonymous: Identity = { user: 'system:anonymous', groups: ['system:unauthenticated'], uid: '', extra: {} };
