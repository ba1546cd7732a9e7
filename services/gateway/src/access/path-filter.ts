import type { Filter } from '../http/exchange.ts';
import type { AccessReviews } from './access-reviews.ts';

/** Whoever looks whether the gateway lives need not be known, nor the api be there to say so. */
const open = new Set(['/healthz', '/livez', '/readyz']);

/** Paths that are no objects' own are for those whom a role allows them. Requests for objects are judged by the api. */
export function pathFilter(reviews: Pick<AccessReviews, 'check'>): Filter {
  return async ({ target, identity }, next) => {
    if (target.type === 'path' && !open.has(target.path)) {
      // Both read alone.
      const verb = target.verb === 'head' ? 'get' : target.verb;
      await reviews.check(identity, { verb, path: target.path });
    }
    await next();
  };
}
