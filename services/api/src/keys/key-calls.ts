import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { serviceAccount as accountKind } from '@navarch/kinds';
import type { Clock } from '@navarch/kit';
import { ApiError, isApiError } from '@navarch/machinery';
import {
  GetAuthorityResponse,
  type IssueCertificateRequest,
  IssueCertificateResponse,
  type RequestTokenRequest,
  RequestTokenResponse,
  type ReviewTokenRequest,
  ReviewTokenResponse,
} from '@navarch/proto';
import type { Store } from '@navarch/store';
import type { ObjectCache } from '../cache/object-cache.ts';
import type { CallMetrics } from '../grpc/call-metrics.ts';
import { type Freshen, unaryKnowing } from '../grpc/calls.ts';
import type { Access } from '../pipeline/access.ts';
import { timestamp } from '../pipeline/pipeline.ts';
import { uidFrom } from '../pipeline/uid.ts';
import { KeyStore } from './cluster-keys.ts';

/** The longest that a certificate is given for. */
const mostSeconds = 3650 * 24 * 3600;

/** The library needs its polyfill to be there first. */
async function loadCertificates() {
  await import('reflect-metadata');
  return await import('./certificates.ts');
}

/** Tokens and certificates. What they need is loaded when the first one is asked for: it takes memory, and many clusters need none. */
export function keyHandlers(parts: {
  readonly access: Access;
  readonly store: Store;
  readonly cache: ObjectCache;
  readonly clock: Clock;
  readonly clusterId: () => string;
  readonly fresh: Freshen;
  readonly metrics: CallMetrics;
}): UntypedServiceImplementation {
  const { access, store, cache, clock, fresh, metrics } = parts;
  const unary = unaryKnowing(fresh);
  const keys = new KeyStore(store, async () => {
    const [{ makeAuthority }, { makeTokenKey }] = await Promise.all([loadCertificates(), import('./tokens.ts')]);
    const authority = await makeAuthority(parts.clusterId(), clock.now());
    return { authority, tokens: [await makeTokenKey()] };
  });

  return {
    requestToken: unary('RequestToken', metrics, async (request: RequestTokenRequest, signal, { caller }) => {
      const { namespace, name } = request;
      if (namespace === '' || name === '') {
        throw new ApiError('BadRequest', 'the request must name the namespace and the ServiceAccount');
      }
      access.authorize(caller, { verb: 'create', kind: accountKind, namespace, name, subresource: 'token' });
      await fresh(signal);
      const { requestToken } = await import('./service-account-tokens.ts');
      const id = uidFrom(Math.random);
      const { token, expires, audiences } = await requestToken(await keys.read(signal), { cache, clock, id }, request);
      const expirationTimestamp = timestamp(expires);
      return Buffer.from(
        RequestTokenResponse.encode({ token, expirationTimestamp, audiences: [...audiences] }).finish(),
      );
    }),
    reviewToken: unary('ReviewToken', metrics, async (request: ReviewTokenRequest, signal, { caller }) => {
      const about = { group: 'authentication.k8s.io', subresource: '', namespace: '', name: '' };
      access.authorizeOther(caller, { ...about, verb: 'create', resource: 'tokenreviews' });
      const { reviewToken } = await import('./service-account-tokens.ts');
      const known = await keys.read(signal);
      const review = () => reviewToken(known, { cache, clock }, request.token, request.audiences);
      try {
        const { user, audiences } = await review().catch(async (error: unknown) => {
          if (!isApiError(error, 'Unauthorized')) throw error;
          // An account that was made at another replica a moment ago.
          await fresh(signal);
          return await review();
        });
        const whose = { ...user, groups: [...user.groups] };
        const response = { authenticated: true, user: whose, audiences: [...audiences], error: '' };
        return Buffer.from(ReviewTokenResponse.encode(response).finish());
      } catch (error) {
        if (!isApiError(error, 'Unauthorized')) throw error;
        const response = { authenticated: false, user: undefined, audiences: [], error: error.message };
        return Buffer.from(ReviewTokenResponse.encode(response).finish());
      }
    }),
    issueCertificate: unary(
      'IssueCertificate',
      metrics,
      async (request: IssueCertificateRequest, signal, { caller }) => {
        access.authorizeComponent(caller, 'be given certificates');
        const { publicKey, of, validSeconds } = request;
        if (of === undefined) throw new ApiError('BadRequest', 'the request must say of whom the certificate tells');
        if (of.$case === 'user' && of.value.username === '') throw new ApiError('BadRequest', 'username must be set');
        const seconds = Number(validSeconds);
        if (seconds <= 0 || seconds > mostSeconds) {
          throw new ApiError('BadRequest', `valid_seconds must be from 1 to ${mostSeconds}, not ${seconds}`);
        }
        const { authority } = await keys.read(signal);
        const { issueCertificate } = await loadCertificates();
        const wanted = { publicKey, of: of.value, validMs: seconds * 1000, now: clock.now() };
        const certificate = await issueCertificate(authority, wanted);
        return Buffer.from(IssueCertificateResponse.encode({ certificate, authority: authority.certificate }).finish());
      },
    ),
    getAuthority: unary('GetAuthority', metrics, async (_request: unknown, signal) => {
      const known = await keys.read(signal);
      const { issuer, keySet } = await import('./tokens.ts');
      const response = { certificate: known.authority.certificate, issuer, keySet: JSON.stringify(keySet(known)) };
      return Buffer.from(GetAuthorityResponse.encode(response).finish());
    }),
  };
}
