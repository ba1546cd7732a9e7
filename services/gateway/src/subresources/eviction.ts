import { pod } from '@navarch/kinds';
import { EvictRequest, ResourcesService } from '@navarch/proto';
import type { ApiCalls } from '../api/api-calls.ts';
import { readObjectBody } from '../http/body.ts';
import { sendJson } from '../http/reply.ts';
import { badRequest } from '../http/status.ts';
import { deleteWish } from '../resources/delete-options.ts';
import { isObject } from '../resources/manifest-body.ts';
import { writeFields } from '../resources/query.ts';
import type { Subresource } from './subresource.ts';

/** Asks a Pod to go so that its node can be emptied: policy/v1 Eviction. 429 while a disruption budget forbids it. */
export function evictionSubresource(api: ApiCalls): Subresource {
  return {
    name: 'eviction',
    has: (kind) => kind === pod,
    kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
    verbs: {
      create: async ({ exchange, target: { namespace, name } }) => {
        const asked = writeFields(exchange.query);
        const { json } = await readObjectBody(exchange.request, { apiVersion: 'policy/v1', kind: 'Eviction' });
        if (!isObject(json)) throw badRequest('the body of the request must hold an Eviction');
        const { metadata, deleteOptions } = json;
        if (isObject(metadata) && metadata['name'] !== undefined && metadata['name'] !== name) {
          throw badRequest(`the name of the Eviction does not match the name on the URL (${name})`);
        }
        const { gracePeriodSeconds, uid, revision, dryRun } = deleteWish(isObject(deleteOptions) ? deleteOptions : {});
        const eviction = { namespace, name, gracePeriodSeconds, uid, revision };
        const request: EvictRequest = { eviction, fence: undefined, dryRun: dryRun || asked.dryRun };
        await api.write(ResourcesService.evict, request, exchange);
        await sendJson(exchange, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
      },
    },
  };
}
