import { encodeObject, messageSchema } from '@navarch/machinery';
import { GetRequest, ObjectMeta, ResourcesService, Scale } from '@navarch/proto';
import type { ApiCalls } from '../api/api-calls.ts';
import { readObjectBody } from '../http/body.ts';
import { sendJson } from '../http/reply.ts';
import { badRequest } from '../http/status.ts';
import { isObject } from '../resources/manifest-body.ts';
import { patch } from '../resources/patch.ts';
import { decimal, writeFields } from '../resources/query.ts';
import type { ResourceRequest } from '../resources/resource-request.ts';
import type { Subresource } from './subresource.ts';

const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' } as const;

/** How many replicas an object wants and has: autoscaling/v1 Scale. */
export function scaleSubresource(api: ApiCalls): Subresource {
  const read = ({ exchange, target: { namespace, name }, kind }: ResourceRequest) =>
    api.call(
      ResourcesService.getScale,
      { ...GetRequest.fromJSON({}), resource: kind.resource, namespace, name },
      exchange,
    );
  return {
    name: 'scale',
    has: ({ scale }) => scale !== undefined,
    kind: scaleKind,
    verbs: {
      get: async (request) => sendJson(request.exchange, 200, scaleJson(await read(request))),
      update: async (request) => {
        const { exchange, kind } = request;
        const { dryRun, fieldManager } = writeFields(exchange.query);
        const scale = await scaleOf(request);
        const message = {
          resource: kind.resource,
          scale,
          currentReplicas: undefined,
          fence: undefined,
          dryRun,
          fieldManager,
        };
        await sendJson(exchange, 200, scaleJson(await api.call(ResourcesService.updateScale, message, exchange)));
      },
      patch: async (request) => {
        await patch(api, request, 'scale');
        await sendJson(request.exchange, 200, scaleJson(await read(request)));
      },
    },
  };
}

/** The Scale in a request's body. Source: autoscaling/v1 Scale. */
async function scaleOf({ exchange, target }: ResourceRequest): Promise<Scale> {
  const { json } = await readObjectBody(exchange.request, { apiVersion: 'autoscaling/v1', kind: 'Scale' });
  if (!isObject(json)) throw badRequest('the body of the request must hold a Scale');
  const { kind = 'Scale', metadata = {}, spec = {} } = json;
  if (kind !== 'Scale' || !isObject(metadata) || !isObject(spec ?? {}))
    throw badRequest('the body of the request must hold a Scale');
  const { name = target.name, namespace = target.namespace, uid = '', resourceVersion = '' } = metadata;
  if (name !== target.name || namespace !== target.namespace) {
    throw badRequest(`the Scale's name and namespace must be those of the path, ${target.namespace}/${target.name}`);
  }
  if (typeof uid !== 'string') throw badRequest('metadata.uid must be a text');
  const replicas = isObject(spec) ? (spec['replicas'] ?? 0) : 0;
  if (!Number.isInteger(replicas) || Math.abs(replicas as number) >= 2 ** 31) {
    throw badRequest('spec.replicas must be a whole number');
  }
  if (resourceVersion !== '') decimal('metadata.resourceVersion', String(resourceVersion));
  const where = { name: target.name, namespace: target.namespace, uid, resourceVersion: String(resourceVersion) };
  return { metadata: ObjectMeta.fromJSON(where), spec: { replicas: Number(replicas) }, status: undefined };
}

function scaleJson(scale: Scale) {
  const { metadata, spec, status } = encodeObject(messageSchema(Scale.$type), scale);
  const { replicas = 0, ...more } = isObject(status) ? status : {};
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: metadata ?? {},
    spec: spec ?? {},
    status: { replicas, ...more },
  };
}
