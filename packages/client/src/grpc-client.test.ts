import { type handleServerStreamingCall, type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import { pod } from '@navarch/kinds';
import { ApiError, toServiceError } from '@navarch/machinery';
import {
  ApplyResponse_Result,
  type ListRequest,
  type ListResponse,
  Pod,
  type PodsServer,
  PodsService,
  type Resource,
  type ResourcesServer,
  ResourcesService,
  type TransactRequest,
  type TransactResponse,
  type WatchRequest,
  type WatchResponse,
} from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { type ApiClient, createClient } from './grpc-client.ts';
import { bindWrite, createWrite, deleteWrite } from './writes.ts';

const cleanUp: (() => void)[] = [];
afterEach(() => cleanUp.splice(0).forEach((stop) => stop()));

const podNamed = (name: string) => Pod.fromJSON({ metadata: { name, namespace: 'default' }, spec: {} });
const resource = (name: string, revision = 7n): Resource => ({
  revision,
  object: { $case: 'pod', value: podNamed(name) },
});

/** A server of some of the api's methods; those that a test doesn't give are unimplemented. */
async function serve(
  resources: Partial<ResourcesServer>,
  pods: Partial<PodsServer> = {},
  port = 0,
): Promise<{ client: ApiClient; server: Server; port: number }> {
  const server = new Server();
  server.addService(ResourcesService, resources as ResourcesServer);
  server.addService(PodsService, pods as PodsServer);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error ? reject(error) : resolve(at),
    );
  });
  const client = createClient({ address: `127.0.0.1:${bound}` });
  cleanUp.push(
    () => client.close(),
    () => server.forceShutdown(),
  );
  return { client, server, port: bound };
}

describe('calls', () => {
  test('an object comes with its revision and all that the contract promises', async () => {
    const { client } = await serve({ get: (call, done) => done(null, resource(call.request.name)) });
    const found = await client.get(pod, { namespace: 'default', name: 'a' });
    expect(found).toMatchObject({ metadata: { name: 'a', resourceVersion: '7' }, status: { phase: '' } });
  });

  test('what the server throws is what the caller catches', async () => {
    const fields = [{ path: 'spec.containers', message: 'must hold at least one' }];
    const { client } = await serve({
      create: (_, done) => done(toServiceError(new ApiError('Invalid', 'Pod "a" is invalid', { fields }))),
    });
    await expect(client.create(pod, podNamed('a'))).rejects.toMatchObject({ reason: 'Invalid', fields });
  });

  test('nobody there: one sentence says which api', async () => {
    const { client, server, port } = await serve({});
    server.forceShutdown();
    client.close();
    const alone = createClient({ address: `127.0.0.1:${port}` });
    cleanUp.push(() => alone.close());
    const asking = alone.get(pod, { name: 'a' }, { timeoutMs: 300 });
    await expect(asking).rejects.toThrow(`no connection to the api at 127.0.0.1:${port}: is it running there?`);
    await expect(asking).rejects.toMatchObject({ reason: 'Unavailable' });
  });

  test('an api that is being started is waited for', async () => {
    const { server, port, client } = await serve({});
    client.close();
    server.forceShutdown();
    const early = createClient({ address: `127.0.0.1:${port}` });
    cleanUp.push(() => early.close());
    const asking = early.get(pod, { namespace: 'default', name: 'a' });
    const get: handleUnaryCall<{ name: string }, Resource> = (call, done) => done(null, resource(call.request.name));
    await serve({ get }, {}, port);
    await expect(asking).resolves.toMatchObject({ metadata: { name: 'a' } });
  });

  test('a call ends by its deadline, and by its signal', async () => {
    const answered: handleUnaryCall<{ name: string }, Resource> = (call, done) => {
      if (call.request.name === 'answered') done(null, resource('answered'));
    };
    const { client } = await serve({ get: answered });
    await client.get(pod, { name: 'answered' }); // connected: the deadline is the call's alone
    await expect(client.get(pod, { name: 'a' }, { timeoutMs: 50 })).rejects.toMatchObject({ reason: 'Timeout' });
    const controller = new AbortController();
    const asking = client.get(pod, { name: 'a' }, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
  });

  test('reads are made again after Unavailable, writes are not', async () => {
    let calls = 0;
    const flaky: handleUnaryCall<unknown, Resource> = (_, done) => {
      calls++;
      if (calls === 1) done(toServiceError(new ApiError('Unavailable', 'not yet')));
      else done(null, resource('a'));
    };
    const { client } = await serve({ get: flaky, create: flaky });
    await expect(client.create(pod, podNamed('a'))).rejects.toMatchObject({ reason: 'Unavailable' });
    calls = 0;
    await expect(client.get(pod, { name: 'a' })).resolves.toMatchObject({ metadata: { name: 'a' } });
    expect(calls).toBe(2);
  });

  test('chunks of a list are joined, and a list whose history went away begins anew', async () => {
    const asked: string[] = [];
    const list: handleUnaryCall<ListRequest, ListResponse> = (call, done) => {
      asked.push(call.request.continue);
      if (asked.length === 2) done(toServiceError(new ApiError('Expired', 'compacted')));
      else if (call.request.continue === '') done(null, { revision: 9n, items: [resource('a')], continue: 'next' });
      else done(null, { revision: 9n, items: [resource('b')], continue: '' });
    };
    const { client } = await serve({ list });
    const { revision, items } = await client.list(pod);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    expect([revision, asked]).toEqual([9n, ['', 'next', '', 'next']]);
  });

  test('writes of a transaction travel in order, and each has its result', async () => {
    let seen: TransactRequest | undefined;
    const transact: handleUnaryCall<TransactRequest, TransactResponse> = (call, done) => {
      seen = call.request;
      const error = { reason: 'Conflict', message: 'has a node', fields: [] };
      const result = { $case: 'resource', value: resource('a') } as const;
      const rest = { done: ApplyResponse_Result.CREATED, gone: false };
      const refused = { $case: 'error', value: error } as const;
      done(null, {
        results: [
          { result, ...rest },
          { result: refused, ...rest },
          { result, ...rest },
        ],
      });
    };
    const { client } = await serve({ transact });
    const fence = { leaseNamespace: 'navarch-system', leaseName: 'scheduler', holderIdentity: 'me', transitions: 3 };
    const outcomes = await client.transact(
      [
        createWrite(pod, podNamed('a')),
        bindWrite({ namespace: 'default', name: 'b', uid: 'u', nodeName: 'n1' }),
        deleteWrite(pod, { namespace: 'default', name: 'c' }, { gracePeriodSeconds: 0 }),
      ],
      { fence },
    );
    expect(seen?.writes.map(({ write }) => write?.$case)).toEqual(['create', 'bind', 'delete']);
    expect(seen).toMatchObject({ fence, atomic: false });
    expect(outcomes).toMatchObject([
      { ok: true, revision: 7n, object: { metadata: { name: 'a', resourceVersion: '7' } } },
      { ok: false, error: { reason: 'Conflict' } },
      { ok: true },
    ]);
  });
});

describe('streams', () => {
  test('a watch gives batches, and a slow reader slows the server down', async () => {
    let sent = 0;
    let sentBeforeReading = -1;
    let full = false;
    const watch: handleServerStreamingCall<WatchRequest, WatchResponse> = (call) => {
      const large = podNamed('large');
      Object.assign(large.metadata ?? {}, { annotations: { text: 'x'.repeat(100_000) } });
      const events = [
        { type: 1 as const, resource: { revision: 7n, object: { $case: 'pod' as const, value: large } } },
      ];
      const send = () => {
        for (; sent < 400; sent++) {
          if (!call.write({ revision: BigInt(sent + 1), initial: false, events })) {
            full = true;
            call.once('drain', send);
            sent++;
            return;
          }
        }
        call.end();
      };
      send();
    };
    const { client } = await serve({ watch });
    const { signal } = new AbortController();
    let revision = 0n;
    for await (const batch of client.watch(pod, { signal })) {
      expect(batch).toMatchObject({ revision: revision + 1n, events: [{ type: 'added' }] });
      revision = batch.revision;
      if (revision === 1n) {
        // Nothing is read on now: the server must come to a stop long before its end.
        let before = -1;
        await waitFor(() => full && before === (before = sent), { intervalMs: 200, what: 'the server to stop' });
        sentBeforeReading = sent;
      }
    }
    expect(revision).toBe(400n);
    expect(sentBeforeReading).toBeLessThan(200);
  });

  test('a watch ends quietly by its signal, and the server hears of it', async () => {
    let cancelled = false;
    const { client } = await serve({
      watch: (call) => {
        call.on('cancelled', () => (cancelled = true));
        call.write({ revision: 1n, initial: false, events: [] });
      },
    });
    const controller = new AbortController();
    const revisions: bigint[] = [];
    for await (const { revision } of client.watch(pod, { signal: controller.signal })) {
      revisions.push(revision);
      controller.abort(new Error('enough'));
    }
    expect(revisions).toEqual([1n]);
    await waitFor(() => cancelled);
  });

  test('a watch throws what the server ends it with', async () => {
    const { client } = await serve({
      watch: (call) => void call.emit('error', toServiceError(new ApiError('Expired', 'compacted at 5'))),
    });
    const { signal } = new AbortController();
    const watching = (async () => {
      for await (const _ of client.watch(pod, { after: 1n, signal }));
    })();
    await expect(watching).rejects.toMatchObject({ reason: 'Expired', message: 'compacted at 5' });
  });

  test('logs are bytes, and an error frame is an error', async () => {
    const { client } = await serve(
      {},
      {
        logs: (call) => {
          call.write({ frame: { $case: 'stdout', value: Buffer.from(`hello ${call.request.name}\n`) } });
          if (call.request.follow) {
            const value = { reason: 'NotFound', message: 'the container is gone', fields: [] };
            call.write({ frame: { $case: 'error', value } });
          }
          call.end();
        },
      },
    );
    const text = [];
    for await (const bytes of client.pods.logs({ name: 'a' })) text.push(Buffer.from(bytes).toString());
    expect(text).toEqual(['hello a\n']);
    const following = (async () => {
      for await (const _ of client.pods.logs({ name: 'a', follow: true }));
    })();
    await expect(following).rejects.toMatchObject({ reason: 'NotFound' });
  });

  test('exec talks both ways and ends with the exit code', async () => {
    const { client } = await serve(
      {},
      {
        exec: (call) => {
          call.on('data', ({ frame }) => {
            if (frame?.$case === 'exec') call.write({ frame: { $case: 'ready', value: true } });
            if (frame?.$case === 'exec')
              call.write({ frame: { $case: 'stderr', value: Buffer.from(frame.value.command.join(' ')) } });
            if (frame?.$case === 'stdin') call.write({ frame: { $case: 'stdout', value: frame.value } });
            if (frame?.$case === 'stdinEnd') {
              call.write({ frame: { $case: 'exit', value: 3 } });
              call.end();
            }
          });
        },
      },
    );
    const session = await client.pods.exec({ name: 'a', command: ['cat'], stdin: true });
    await session.send({ type: 'resize', width: 80, height: 24 });
    await session.send({ type: 'stdin', data: Buffer.from('hello') });
    await session.send({ type: 'end' });
    const output = [];
    for await (const piece of session.output) {
      output.push(piece.type === 'exit' ? piece : { ...piece, data: Buffer.from(piece.data).toString() });
    }
    expect(output).toEqual([
      { type: 'stderr', data: 'cat' },
      { type: 'stdout', data: 'hello' },
      { type: 'exit', code: 3 },
    ]);
    await session.send({ type: 'end' });
  });

  test('exec tells why a program does not begin, and what goes wrong later also to a reader who comes late', async () => {
    const gone = toServiceError(new ApiError('NotFound', 'no such Pod'));
    const refusing = await serve({}, { exec: (call) => void call.emit('error', gone) });
    await expect(refusing.client.pods.exec({ name: 'a' })).rejects.toMatchObject({ reason: 'NotFound' });
    const breaking = await serve(
      {},
      {
        exec: (call) => {
          call.write({ frame: { $case: 'ready', value: true } });
          call.once('data', () => call.once('data', () => call.emit('error', gone)));
        },
      },
    );
    const session = await breaking.client.pods.exec({ name: 'a' });
    await waitFor(async () => {
      await session.send({ type: 'stdin', data: Buffer.alloc(100_000) });
      return true;
    });
    const reading = (async () => {
      for await (const _ of session.output);
    })();
    await expect(reading).rejects.toMatchObject({ reason: 'NotFound' });
  });
});
