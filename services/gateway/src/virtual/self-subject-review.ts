import type { AccessReviews } from '../access/access-reviews.ts';
import { sendJson } from '../http/reply.ts';
import { userJson } from './user-json.ts';
import type { VirtualResource } from './virtual-resource.ts';

const group = 'authentication.k8s.io';

/** Who asks, as the gateway sees them: `kubectl auth whoami`. */
export function selfSubjectReviews(reviews: Pick<AccessReviews, 'check'>): VirtualResource {
  const plural = 'selfsubjectreviews';
  return {
    group,
    version: 'v1',
    plural,
    singular: 'selfsubjectreview',
    kind: 'SelfSubjectReview',
    scope: 'Cluster',
    description: 'Asks who asks.',
    schema: { properties: { status: { type: 'object', properties: { userInfo: { type: 'object' } } } } },
    verbs: {
      create: async (exchange) => {
        const about = { group, resource: plural, subresource: '', namespace: '', name: '' };
        await reviews.check(exchange.identity, { ...about, verb: 'create' });
        await sendJson(exchange, 201, {
          kind: 'SelfSubjectReview',
          apiVersion: `${group}/v1`,
          metadata: { creationTimestamp: null },
          status: { userInfo: userJson(exchange.identity) },
        });
      },
    },
  };
}
