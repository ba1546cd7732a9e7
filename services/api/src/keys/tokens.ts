import { ApiError, isApiError } from '@navarch/machinery';
import {
  calculateJwkThumbprint,
  errors,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importJWK,
  importPKCS8,
  jwtVerify,
  SignJWT,
} from 'jose';
import type { JWTPayload } from 'jose';
import type { ClusterKeys, TokenKey } from './cluster-keys.ts';

/**
 * Tokens of ServiceAccounts: JSON Web Tokens in the form that Kubernetes gives them. Source:
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
 */

const algorithm = 'ES256';
/** Who issues tokens, and whom they are for where nothing else is asked: Kubernetes' default. */
export const issuer = 'https://kubernetes.default.svc.cluster.local';

export interface TokenClaims {
  readonly namespace: string;
  readonly serviceAccount: Named;
  readonly bound?: { readonly kind: 'pod' | 'secret' } & Named;
  readonly node?: Named;
}

interface Named {
  readonly name: string;
  readonly uid: string;
}

export async function makeTokenKey(): Promise<TokenKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const id = await calculateJwkThumbprint(jwk);
  const pem = await exportPKCS8(privateKey);
  return { id, privateKey: pem, publicKey: { ...jwk, kid: id, alg: algorithm, use: 'sig' } };
}

/** The public halves, as a JSON Web Key Set. */
export function keySet({ tokens }: ClusterKeys): { keys: readonly object[] } {
  return { keys: tokens.map(({ publicKey }) => publicKey) };
}

export async function signToken(
  { tokens }: ClusterKeys,
  claims: TokenClaims,
  { audiences, now, expires, id }: { audiences: readonly string[]; now: number; expires: number; id: string },
): Promise<string> {
  const [key] = tokens;
  if (key === undefined) throw new ApiError('InternalError', 'the cluster has no key for tokens');
  const { namespace, serviceAccount, bound, node } = claims;
  const about = {
    namespace,
    serviceaccount: serviceAccount,
    ...(bound && { [bound.kind]: { name: bound.name, uid: bound.uid } }),
    ...(node && { node }),
  };
  return await new SignJWT({ 'kubernetes.io': about })
    .setProtectedHeader({ alg: algorithm, kid: key.id })
    .setIssuer(issuer)
    .setSubject(subjectOf(namespace, serviceAccount.name))
    .setAudience([...audiences])
    .setIssuedAt(seconds(now))
    .setNotBefore(seconds(now))
    .setExpirationTime(seconds(expires))
    .setJti(id)
    .sign(await importPKCS8(key.privateKey, algorithm));
}

export interface VerifiedToken {
  readonly claims: TokenClaims;
  readonly audiences: readonly string[];
  readonly id: string;
}

/** What a token says, once its signature, issuer, time and audience are found right. Throws Unauthorized, without the token. */
export async function verifyToken(
  { tokens }: ClusterKeys,
  token: string,
  { audiences, now }: { audiences: readonly string[]; now: number },
): Promise<VerifiedToken> {
  try {
    const { payload } = await jwtVerify(
      token,
      async ({ kid }) => {
        const key = tokens.find(({ id }) => id === kid);
        if (key === undefined) throw new ApiError('Unauthorized', 'the token was not signed by this cluster');
        return await importJWK(key.publicKey, algorithm);
      },
      {
        issuer,
        audience: [...audiences],
        algorithms: [algorithm],
        currentDate: new Date(now),
        requiredClaims: ['exp', 'sub'],
      },
    );
    return {
      claims: claimsIn(payload),
      audiences: [payload.aud ?? []].flat().filter((audience) => audiences.includes(audience)),
      id: payload.jti ?? '',
    };
  } catch (error) {
    if (isApiError(error)) throw error;
    throw new ApiError('Unauthorized', whyNot(error));
  }
}

/** jose's own messages tell of claims, never of the token. */
function whyNot(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return `the token's ${error.claim} is not right`;
  return 'the token is not one of this cluster';
}

interface WireClaims {
  readonly namespace?: string;
  readonly serviceaccount?: Partial<Named>;
  readonly pod?: Partial<Named>;
  readonly secret?: Partial<Named>;
  readonly node?: Partial<Named>;
}

function claimsIn(payload: JWTPayload): TokenClaims {
  const about = payload['kubernetes.io'] as WireClaims | undefined; // signed by this cluster, which wrote it so
  const serviceAccount = named(about?.serviceaccount);
  const { namespace = '' } = about ?? {};
  if (serviceAccount === undefined || payload.sub !== subjectOf(namespace, serviceAccount.name)) {
    throw new ApiError('Unauthorized', 'the token does not name a ServiceAccount');
  }
  const [pod, secret, node] = [named(about?.pod), named(about?.secret), named(about?.node)];
  return {
    namespace,
    serviceAccount,
    ...(pod && { bound: { kind: 'pod', ...pod } as const }),
    ...(secret && { bound: { kind: 'secret', ...secret } as const }),
    ...(node && { node }),
  };
}

function named(each: Partial<Named> | undefined): Named | undefined {
  return each?.name === undefined || each.uid === undefined ? undefined : { name: each.name, uid: each.uid };
}

function subjectOf(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
