import type { Connection } from '@navarch/client';
import type { Clock } from '@navarch/kit';
import type { GatewayOptions } from '../gateway.ts';
import { tokenSubresource } from '../subresources/token.ts';
import { accessReviews } from '../virtual/access-reviews.ts';
import { selfSubjectReviews } from '../virtual/self-subject-review.ts';
import { tokenReviews } from '../virtual/token-reviews.ts';
import { AccessReviews } from './access-reviews.ts';
import { RequestAuthenticator } from './authenticator.ts';
import { putIdentity } from './identity-metadata.ts';
import { Impersonation } from './impersonation.ts';
import { issuerRoutes } from './issuer-routes.ts';
import { pathFilter } from './path-filter.ts';
import { TokenReviews } from './token-reviews.ts';

/** What makes a gateway ask who everybody is, and hold them to the roles. */
export function accessParts({ connection, clock }: { readonly connection: Connection; readonly clock: Clock }) {
  const reviews = new AccessReviews(connection);
  return {
    authenticator: new RequestAuthenticator({
      tokens: new TokenReviews({ connection, clock }),
      impersonation: new Impersonation(reviews),
    }),
    identityMetadata: putIdentity,
    filters: [pathFilter(reviews)],
    paths: [issuerRoutes(connection)],
    subresources: (api) => [tokenSubresource(api)],
    virtual: (api) => [selfSubjectReviews(reviews), ...accessReviews(api), tokenReviews(api)],
  } satisfies Partial<GatewayOptions>;
}
