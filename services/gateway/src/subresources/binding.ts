import { pod } from '@navarch/kinds';
import { BindRequest, ResourcesService } from '@navarch/proto';
import type { ApiCalls } from '../api/api-calls.ts';
import { readObjectBody } from '../http/body.ts';
import { sendJson } from '../http/reply.ts';
import { badRequest } from '../http/status.ts';
import { isObject } from '../resources/manifest-body.ts';
import { writeFields } from '../resources/query.ts';
import type { Subresource } from './subresource.ts';

/** Puts a Pod on a node: v1 Binding. */
export function bindingSubresource(api: ApiCalls): Subresource {
  return {
    name: 'binding',
    has: (kind) => kind === pod,
    kind: { group: '', version: 'v1', kind: 'Binding' },
    verbs: {
      create: async ({ exchange, target: { namespace, name } }) => {
        const { dryRun } = writeFields(exchange.query);
        const { json } = await readObjectBody(exchange.request, { apiVersion: 'v1', kind: 'Binding' });
        const node = isObject(json) && isObject(json['target']) ? json['target']['name'] : undefined;
        if (typeof node !== 'string' || node === '') throw badRequest('target.name must name the node');
        const metadata = isObject(json) && isObject(json['metadata']) ? json['metadata'] : {};
        if (metadata['name'] !== undefined && metadata['name'] !== name) {
          throw badRequest(`the name of the Binding does not match the name on the URL (${name})`);
        }
        const uid = typeof metadata['uid'] === 'string' ? metadata['uid'] : '';
        const request: BindRequest = {
          binding: { namespace, name, uid, nodeName: node, decidedAt: 0n },
          fence: undefined,
          dryRun,
        };
        await api.write(ResourcesService.bind, request, exchange);
        await sendJson(exchange, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
      },
    },
  };
}
