import { AccessService } from '@navarch/proto';
import { identityOf } from '../access/identity-metadata.ts';
import type { ApiCalls } from '../api/api-calls.ts';
import { sendJson } from '../http/reply.ts';
import { readSpec, textFields, textList } from './review-spec.ts';
import { userJson } from './user-json.ts';
import type { VirtualResource } from './virtual-resource.ts';

const group = 'authentication.k8s.io';
const [apiVersion, kind] = [`${group}/v1`, 'TokenReview'];

/** Whose a token is: what programs ask that clients show theirs to. */
export function tokenReviews(api: ApiCalls): VirtualResource {
  return {
    group,
    version: 'v1',
    plural: 'tokenreviews',
    singular: 'tokenreview',
    kind,
    scope: 'Cluster',
    description: 'Asks whose a token is.',
    schema: { properties: { spec: { type: 'object' }, status: { type: 'object' } } },
    verbs: {
      create: async (exchange) => {
        const spec = await readSpec(exchange, { apiVersion, kind });
        const { token } = textFields(spec, 'spec', 'token');
        const asked = [...textList(spec['audiences'], 'spec.audiences')];
        const review = await api.call(AccessService.reviewToken, { token, audiences: asked }, exchange);
        const { authenticated, user, audiences, error } = review;
        await sendJson(exchange, 201, {
          kind,
          apiVersion,
          metadata: { creationTimestamp: null },
          // The token is not said again.
          spec: { ...(asked.length > 0 && { audiences: asked }) },
          status: {
            ...(authenticated && { authenticated }),
            user: user === undefined ? {} : userJson(identityOf(user)),
            ...(audiences.length > 0 && { audiences }),
            ...(error !== '' && { error }),
          },
        });
      },
    },
  };
}
