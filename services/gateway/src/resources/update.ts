import { ResourcesService, UpdateRequest } from '@navarch/proto';
import type { ApiCalls } from '../api/api-calls.ts';
import { readObjectBody } from '../http/body.ts';
import { negotiate } from '../http/media.ts';
import { manifestText } from './manifest-body.ts';
import { writeFields } from './query.ts';
import type { ResourceHandler } from './resource-request.ts';
import { sendObject } from './send-object.ts';

/** Replaces an object, or its status alone. */
export function updateHandler(api: ApiCalls, part: 'all' | 'status'): ResourceHandler {
  const method = part === 'status' ? ResourcesService.updateStatus : ResourcesService.update;
  return async ({ exchange, target, kind }) => {
    const accepts = negotiate(exchange.request.headers.accept);
    const fields = writeFields(exchange.query);
    const body = await readObjectBody(exchange.request, kind);
    const manifest = manifestText(body, kind, target, { ...fields, exchange });
    const request: UpdateRequest = { ...fields, resource: undefined, manifest };
    await sendObject({ exchange, kind, accepts }, 200, await api.write(method, request, exchange));
  };
}
