import { pod } from '@navarch/kinds';
import { PatchRequest, PatchRequest_Type, ResourcesService } from '@navarch/proto';
import type { ApiCalls } from '../api/api-calls.ts';
import { readObjectBody } from '../http/body.ts';
import { negotiate } from '../http/media.ts';
import { badRequest } from '../http/status.ts';
import { getHandler } from '../resources/get.ts';
import { isObject } from '../resources/manifest-body.ts';
import { patch } from '../resources/patch.ts';
import { writeFields } from '../resources/query.ts';
import { sendObject } from '../resources/send-object.ts';
import type { Subresource } from './subresource.ts';

/** Adds programs to a running Pod, for `kubectl debug`. A replacement counts for its ephemeral containers alone. */
export function ephemeralContainersSubresource(api: ApiCalls): Subresource {
  return {
    name: 'ephemeralcontainers',
    has: (kind) => kind === pod,
    verbs: {
      get: getHandler(api),
      patch: async (request) => {
        const { exchange, kind } = request;
        const accepts = negotiate(exchange.request.headers.accept);
        await sendObject({ exchange, kind, accepts }, 200, await patch(api, request, 'ephemeralcontainers'));
      },
      update: async ({ exchange, target: { namespace, name }, kind }) => {
        const accepts = negotiate(exchange.request.headers.accept);
        const { json } = await readObjectBody(exchange.request, kind);
        if (!isObject(json) || !isObject(json['spec'])) throw badRequest('the body of the request must hold a Pod');
        const { resourceVersion } = isObject(json['metadata']) ? json['metadata'] : {};
        const { ephemeralContainers = [] } = json['spec'];
        const message: PatchRequest = {
          ...PatchRequest.fromJSON({}),
          ...writeFields(exchange.query),
          resource: kind.resource,
          namespace,
          name,
          type: PatchRequest_Type.MERGE,
          patch: JSON.stringify({ metadata: { resourceVersion }, spec: { ephemeralContainers } }),
          subresource: 'ephemeralcontainers',
        };
        await sendObject({ exchange, kind, accepts }, 200, await api.write(ResourcesService.patch, message, exchange));
      },
    },
  };
}
