import { CreateRequest, ResourcesService } from '@navarch/proto';
import type { ApiCalls } from '../api/api-calls.ts';
import { readObjectBody } from '../http/body.ts';
import { negotiate } from '../http/media.ts';
import { manifestText } from './manifest-body.ts';
import { writeFields } from './query.ts';
import type { ResourceHandler } from './resource-request.ts';
import { sendObject } from './send-object.ts';

/** Makes an object. */
export function createHandler(api: ApiCalls): ResourceHandler {
  return async ({ exchange, target, kind }) => {
    const accepts = negotiate(exchange.request.headers.accept);
    const fields = writeFields(exchange.query);
    const body = await readObjectBody(exchange.request, kind);
    const place = { namespace: target.namespace, name: '' };
    const manifest = manifestText(body, kind, place, { ...fields, exchange });
    const request: CreateRequest = { ...fields, resource: undefined, manifest };
    const bytes = await api.write(ResourcesService.create, request, exchange);
    await sendObject({ exchange, kind, accepts }, 201, bytes);
  };
}
