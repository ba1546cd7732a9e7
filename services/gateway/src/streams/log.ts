import { once } from 'node:events';
import { pod } from '@navarch/kinds';
import type { LogsRequest } from '@navarch/proto';
import type { ApiCalls } from '../api/api-calls.ts';
import { answerHeaders } from '../http/reply.ts';
import { badRequest } from '../http/status.ts';
import { count, flag } from '../resources/query.ts';
import type { Subresource } from '../subresources/subresource.ts';

/** What a container wrote, as plain text; with `follow` for as long as it writes. */
export function logSubresource(api: ApiCalls): Subresource {
  return {
    name: 'log',
    has: (kind) => kind === pod,
    verbs: {
      get: async ({ exchange, target: { namespace, name } }) => {
        const { response, query, warnings, signal } = exchange;
        const request = { namespace, name, ...logOptions(query) };
        if (request.follow === true) exchange.withoutDeadline();
        const pieces = api.pods(exchange).logs(request, signal)[Symbol.asyncIterator]();
        // What is wrong is told as a Status, before anything else is.
        let next = await pieces.next();
        signal.throwIfAborted();
        response.writeHead(200, answerHeaders(warnings, { 'content-type': 'text/plain' }));
        response.flushHeaders();
        while (next.done !== true) {
          if (!response.write(next.value)) await once(response, 'drain', { signal });
          next = await pieces.next();
        }
        response.end();
      },
    },
  };
}

/** Source: the API reference, "read log of the specified Pod". */
function logOptions(query: URLSearchParams): Partial<LogsRequest> {
  const limitBytes = wholeNumber(query, 'limitBytes');
  const tailLines = wholeNumber(query, 'tailLines');
  const sinceSeconds = wholeNumber(query, 'sinceSeconds');
  const stream = query.get('stream') ?? 'All';
  if (stream !== 'All' && stream !== '') throw badRequest('stream: only All is supported');
  return {
    container: query.get('container') ?? '',
    follow: flag(query, 'follow'),
    previous: flag(query, 'previous'),
    timestamps: flag(query, 'timestamps'),
    sinceTime: query.get('sinceTime') ?? '',
    ...(tailLines !== undefined && { tailLines }),
    ...(sinceSeconds !== undefined && { sinceSeconds }),
    ...(limitBytes !== undefined && { limitBytes: BigInt(limitBytes) }),
  };
}

const largest = 2 ** 31 - 1;

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const value = count(query, name);
  return value === undefined ? undefined : Math.min(value, largest);
}
