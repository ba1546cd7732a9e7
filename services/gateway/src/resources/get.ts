import { Form, ResourcesService } from '@navarch/proto';
import type { ApiCalls } from '../api/api-calls.ts';
import { negotiate } from '../http/media.ts';
import type { ResourceHandler } from './resource-request.ts';
import { revisionOf } from './query.ts';
import { sendObject } from './send-object.ts';

/** One object. */
export function getHandler(api: ApiCalls): ResourceHandler {
  return async ({ exchange, target, kind }) => {
    const accepts = negotiate(exchange.request.headers.accept);
    const form = accepts.form === 'metadata' ? Form.METADATA : Form.FULL;
    const { namespace, name } = target;
    const request = { resource: kind.resource, namespace, name, ...revisionOf(exchange.query), form };
    const bytes = await api.read(ResourcesService.get, request, exchange);
    await sendObject({ exchange, kind, accepts }, 200, bytes);
  };
}
