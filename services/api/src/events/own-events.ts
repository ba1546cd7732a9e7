import type { Client, ClientWrite } from '@navarch/client';
import { toResource } from '@navarch/kinds';
import { ApiError, errorDetail, type KubeObject, type Live } from '@navarch/machinery';
import type { ObjectCache } from '../cache/object-cache.ts';
import { createWrite } from '../pipeline/create.ts';
import { incoming } from '../pipeline/incoming.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { updateWrite } from '../pipeline/update.ts';
import type { Write } from '../pipeline/write.ts';
import { notFound } from '../read/resource-name.ts';

/** What the api itself reports is gathered, grouped and written as everybody's Events are, only without a call. */
export function ownEvents(pipeline: Pipeline, events: ObjectCache): Pick<Client, 'get' | 'transact'> {
  return {
    get: async (kind, { namespace = '', name }) => {
      const cached = events.get(kind, namespace, name);
      if (cached === undefined) throw notFound(kind, name);
      return cached.object as unknown as Live<never>; // the cache decodes a kind's objects with its message
    },
    transact: async (writes, { signal = neverAborts } = {}) => {
      const decoded = writes.map((write) => () => decode(write as ClientWrite)); // a recorder asks for nothing else
      const outcomes = await pipeline.writeEach(decoded, { fence: undefined, dryRun: false, program: 'api', signal });
      return outcomes.map((outcome, i) => {
        const write = writes[i];
        const object: KubeObject = write !== undefined && 'object' in write ? write.object : {};
        return outcome.ok ? { ok: true, object, revision: 0n } : { ok: false, error: errorDetail(outcome.error) };
      });
    },
  };
}

const neverAborts = new AbortController().signal;

function decode(write: ClientWrite): Write {
  if (write.type !== 'create' && write.type !== 'update') throw new ApiError('Unimplemented', `no ${write.type} here`);
  const request = incoming(toResource(write.kind, write.object));
  return write.type === 'create' ? createWrite(request) : updateWrite(request);
}
