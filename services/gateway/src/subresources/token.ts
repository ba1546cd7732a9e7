import { serviceAccount } from '@navarch/kinds';
import { AccessService, type BoundObject } from '@navarch/proto';
import type { ApiCalls } from '../api/api-calls.ts';
import { sendJson } from '../http/reply.ts';
import { badRequest } from '../http/status.ts';
import { readSpec, textFields, textList } from '../virtual/review-spec.ts';
import type { Subresource } from './subresource.ts';

const group = 'authentication.k8s.io';
const [apiVersion, kind] = [`${group}/v1`, 'TokenRequest'];

/** A token of a ServiceAccount: `kubectl create token`. */
export function tokenSubresource(api: ApiCalls): Subresource {
  return {
    name: 'token',
    has: ({ case: each }) => each === serviceAccount.case,
    kind: { group, version: 'v1', kind },
    verbs: {
      create: async ({ exchange, target: { namespace, name } }) => {
        const spec = await readSpec(exchange, { apiVersion, kind });
        const seconds = spec['expirationSeconds'] ?? 0;
        if (!Number.isSafeInteger(seconds)) throw badRequest('spec.expirationSeconds must be a whole number');
        const request = {
          namespace,
          name,
          audiences: [...textList(spec['audiences'], 'spec.audiences')],
          expirationSeconds: BigInt(seconds as number),
          boundObject: boundIn(spec['boundObjectRef']),
        };
        const { token, expirationTimestamp, audiences } = await api.call(AccessService.requestToken, request, exchange);
        await sendJson(exchange, 201, {
          kind,
          apiVersion,
          metadata: { name, namespace, creationTimestamp: null },
          spec: { ...spec, audiences, expirationSeconds: seconds === 0 ? 3600 : seconds },
          status: { token, expirationTimestamp },
        });
      },
    },
  };
}

function boundIn(ref: unknown): BoundObject | undefined {
  if (ref === undefined || ref === null) return undefined;
  return textFields(ref, 'spec.boundObjectRef', 'kind', 'name', 'uid');
}
