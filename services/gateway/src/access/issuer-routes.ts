import type { Connection } from '@navarch/client';
import { AccessService } from '@navarch/proto';
import { sendJson } from '../http/reply.ts';
import type { PathRoutes } from '../routes/path-router.ts';

/**
 * How others check tokens of ServiceAccounts: the documents of OpenID Connect Discovery 1.0, as Kubernetes serves them. Source:
 * https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
 */
export function issuerRoutes(connection: Pick<Connection, 'read'>): PathRoutes {
  return (path) => {
    switch (path) {
      case '/.well-known/openid-configuration':
        return async (exchange) => {
          const { issuer } = await connection.read(AccessService.getAuthority, {});
          await sendJson(exchange, 200, {
            issuer,
            jwks_uri: `${issuer}/openid/v1/jwks`,
            response_types_supported: ['id_token'],
            subject_types_supported: ['public'],
            id_token_signing_alg_values_supported: ['ES256'],
          });
        };
      case '/openid/v1/jwks':
        return async (exchange) => {
          const { keySet } = await connection.read(AccessService.getAuthority, {});
          await sendJson(exchange, 200, JSON.parse(keySet), { 'content-type': 'application/jwk-set+json' });
        };
      default:
        return undefined;
    }
  };
}
