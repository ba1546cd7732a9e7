import { DeleteCollectionRequest, DeleteRequest, DeleteResponse, Resource, ResourcesService } from '@navarch/proto';
import type { ApiCalls } from '../api/api-calls.ts';
import { negotiate } from '../http/media.ts';
import { sendJson } from '../http/reply.ts';
import { success } from '../http/status.ts';
import { deleteOptions } from './delete-options.ts';
import { selectionOf } from './list.ts';
import type { ResourceHandler } from './resource-request.ts';
import { sendObject } from './send-object.ts';

/** Asks an object to go. What is gone is answered with a Status, what still ends with the object. */
export function deleteHandler(api: ApiCalls): ResourceHandler {
  return async ({ exchange, target, kind }) => {
    const accepts = negotiate(exchange.request.headers.accept);
    const { namespace, name } = target;
    const request: DeleteRequest = {
      ...(await deleteOptions(exchange)),
      resource: kind.resource,
      namespace,
      name,
      fence: undefined,
    };
    const { resource, gone } = DeleteResponse.decode(await api.write(ResourcesService.delete, request, exchange));
    if (gone || resource === undefined) {
      const uid = resource?.object?.value.metadata?.uid;
      const group = kind.group === '' ? {} : { group: kind.group };
      await sendJson(exchange, 200, success({ name, ...group, kind: kind.plural, ...(uid && { uid }) }));
      return;
    }
    await sendObject({ exchange, kind, accepts }, 200, Buffer.from(Resource.encode(resource).finish()));
  };
}

/** Asks all objects to go that selectors choose. */
export function deleteCollectionHandler(api: ApiCalls): ResourceHandler {
  return async ({ exchange, target, kind }) => {
    const { gracePeriodSeconds, propagation, dryRun } = await deleteOptions(exchange);
    const request: DeleteCollectionRequest = {
      ...selectionOf(target, exchange.query),
      resource: kind.resource,
      gracePeriodSeconds,
      propagation,
      dryRun,
      fence: undefined,
    };
    await api.write(ResourcesService.deleteCollection, request, exchange);
    await sendJson(exchange, 200, success({ ...(kind.group !== '' && { group: kind.group }), kind: kind.plural }));
  };
}
