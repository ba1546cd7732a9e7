import { CreateRequest, Resource, TransactRequest, TransactResponse } from '@navarch/proto';
import { EtcdStore, type Transaction } from '@navarch/store';
import type { ChildContext } from '../../../frame/child.ts';
import { bytesMethod, serveUntilStopped } from './raw-server.ts';

/**
 * The least that an api written like Navarch's can do: it decodes what is to be made, encodes it, puts it where nothing is yet
 * with the store's group commit, and answers with it. No admission, no rules, no cache, no watch, no metrics: what the api takes
 * beyond this is its own doing, and what this takes is gRPC's, protobuf's and the store's.
 */
export default async function serve(etcd: string, context: ChildContext): Promise<void> {
  const store = new EtcdStore({ endpoints: etcd });
  const make = async (resources: readonly (Resource | undefined)[]): Promise<readonly Resource[]> => {
    const made = resources.map((resource) => resource ?? Resource.fromPartial({}));
    const results = await store.commitEach(made.map(creation));
    return made.map((resource, i) => {
      const result = results[i];
      if (result?.status !== 'fulfilled' || !result.value.committed) throw new Error('an object was not made');
      return { ...resource, revision: result.value.revision };
    });
  };
  const method = (name: string) => bytesMethod(`/navarch.api.v1.Resources/${name}`);
  const answering =
    (answer: (request: Buffer) => Promise<Uint8Array>) =>
    ({ request }: { request: Buffer }, callback: (error: Error | null, answer?: Buffer) => void): void => {
      answer(request).then((bytes) => callback(null, Buffer.from(bytes)), callback);
    };
  await serveUntilStopped(
    { create: method('Create'), transact: method('Transact') },
    {
      create: answering(async (request) => {
        const [made] = await make([CreateRequest.decode(request).resource]);
        return Resource.encode(made ?? Resource.fromPartial({})).finish();
      }),
      transact: answering(async (request) => {
        const writes = TransactRequest.decode(request).writes;
        const made = await make(writes.map(({ write }) => (write?.$case === 'create' ? write.value : undefined)));
        const results = made.map((value) => ({ result: { $case: 'resource' as const, value } }));
        return TransactResponse.encode(TransactResponse.fromPartial({ results })).finish();
      }),
    },
    context,
    { 'grpc.max_concurrent_streams': 100_000 },
  );
  await store.close();
}

function creation(resource: Resource): Transaction {
  const name = resource.object?.$case === 'pod' ? resource.object.value.metadata?.name : undefined;
  const key = `/bare/pods/default/${name ?? ''}`;
  return {
    compare: [{ key, modRevision: 0n }],
    ops: [{ type: 'put', key, value: Resource.encode(resource).finish() }],
  };
}
