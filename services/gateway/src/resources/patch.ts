import {
  ApplyRequest,
  ApplyResponse,
  ApplyResponse_Result,
  PatchRequest,
  PatchRequest_Type,
  Resource,
  ResourcesService,
} from '@navarch/proto';
import type { ApiCalls } from '../api/api-calls.ts';
import { mediaTypeOf, parseYaml, readBody, textOf } from '../http/body.ts';
import { negotiate } from '../http/media.ts';
import { badRequest, unsupportedMediaType } from '../http/status.ts';
import { manifestText } from './manifest-body.ts';
import { flag, writeFields } from './query.ts';
import type { ResourceHandler, ResourceRequest } from './resource-request.ts';
import { sendObject } from './send-object.ts';

const patchTypes: Readonly<Record<string, PatchRequest_Type>> = {
  'application/json-patch+json': PatchRequest_Type.JSON,
  'application/merge-patch+json': PatchRequest_Type.MERGE,
  'application/strategic-merge-patch+json': PatchRequest_Type.STRATEGIC,
};
const applyType = 'application/apply-patch+yaml';

/** Changes parts of an object, or of its status, in one of four ways. Source: the Kubernetes API concepts, "Patch and apply". */
export function patchHandler(api: ApiCalls, part: '' | 'status'): ResourceHandler {
  return async (request) => {
    const { exchange, kind } = request;
    const mediaType = mediaTypeOf(exchange.request);
    const accepts = negotiate(exchange.request.headers.accept);
    if (mediaType === applyType) {
      const { resource, created } = await apply(api, request, part);
      await sendObject({ exchange, kind, accepts }, created ? 201 : 200, resource);
      return;
    }
    await sendObject({ exchange, kind, accepts }, 200, await patch(api, request, part));
  };
}

/** The patch that a request holds, sent to the api: the answer is the encoded Resource. */
export async function patch(
  api: ApiCalls,
  { exchange, target, kind }: ResourceRequest,
  subresource: '' | 'status' | 'scale' | 'ephemeralcontainers',
): Promise<Buffer> {
  const type = patchTypes[mediaTypeOf(exchange.request)];
  // A custom kind says too little of its lists to merge them by keys.
  if (type === undefined || (type === PatchRequest_Type.STRATEGIC && kind.custom !== undefined)) {
    const known = [...Object.keys(patchTypes), applyType];
    throw unsupportedMediaType(
      known.filter((name) => kind.custom === undefined || patchTypes[name] !== PatchRequest_Type.STRATEGIC).join(', '),
    );
  }
  if (exchange.query.has('force')) throw badRequest('force is for application/apply-patch+yaml alone');
  const { namespace, name } = target;
  const fields = writeFields(exchange.query);
  const message: PatchRequest = {
    ...PatchRequest.fromJSON({}),
    ...fields,
    resource: kind.resource,
    namespace,
    name,
    type,
    patch: textOf(await readBody(exchange.request)),
    subresource,
  };
  return await api.write(ResourcesService.patch, message, exchange);
}

/** Server-side apply: JSON is YAML, too. */
async function apply(api: ApiCalls, { exchange, target, kind }: ResourceRequest, subresource: '' | 'status') {
  const fields = writeFields(exchange.query);
  if (fields.fieldManager === '') throw badRequest('fieldManager is required for apply patch');
  const body = parseYaml(textOf(await readBody(exchange.request)));
  const message: ApplyRequest = {
    ...fields,
    manifest: manifestText(body, kind, target, { ...fields, exchange }),
    namespace: target.namespace,
    force: flag(exchange.query, 'force'),
    subresource,
  };
  const answer = ApplyResponse.decode(await api.write(ResourcesService.apply, message, exchange));
  const resource = Buffer.from(Resource.encode(answer.resource ?? Resource.fromJSON({})).finish());
  return { resource, created: answer.result === ApplyResponse_Result.CREATED };
}
