import { once } from 'node:events';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { type ApiError, fromServiceError } from '@navarch/machinery';
import { type AgentMessage, type OpenStream, type StreamFrame, LogsRequest, ExecRequest } from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApi, type TestApi, TestClient } from '../api.fixture.ts';

type Frame = NonNullable<StreamFrame['frame']>;
type Frames = ClientDuplexStream<StreamFrame, StreamFrame>;

let running: TestApi;
beforeAll(async () => {
  running = await startApi();
  const { client } = running;
  for (const name of ['n1', 'n2']) await client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
  const pod = (name: string, nodeName: string, containers: string[]) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { nodeName, containers: containers.map((name) => ({ name, image: 'x' })) },
  });
  await client.create(pod('web', 'n1', ['web']));
  await client.create(pod('two', 'n1', ['a', 'b']));
  await client.create(pod('away', 'n2', ['web']));
  await client.create(pod('unplaced', '', ['web']));
});
afterAll(() => running[Symbol.asyncDispose]());

/** A node-agent: holds a session, and answers each stream that it is asked to open with `serve`. */
async function agent(nodeName: string, serve: (stream: Frames) => void, address = running.address) {
  const client = new TestClient(address);
  const errors: ApiError[] = [];
  const streams: Frames[] = [];
  const session: ClientDuplexStream<AgentMessage, OpenStream> = client.sessions.connect();
  session.on('error', (error: ServiceError) => errors.push(fromServiceError(error)));
  session.on('data', ({ streamId }: OpenStream) => {
    const stream = client.sessions.serve();
    streams.push(stream);
    stream.on('error', () => stream.emit('gone'));
    stream.write({ frame: { $case: 'open', value: streamId } });
    serve(stream);
  });
  session.write({ nodeName });
  await once(session, 'metadata');
  return {
    errors,
    close: () => {
      session.cancel();
      for (const stream of streams) stream.cancel();
      client.close();
    },
  };
}

const logs = (fields: object) => running.client.pods.logs(LogsRequest.fromJSON({ namespace: 'default', ...fields }));

/** Everything that a stream brings, and the error that it ends with. */
async function drain(stream: AsyncIterable<unknown>): Promise<{ frames: Frame[]; error: ApiError | undefined }> {
  const frames: Frame[] = [];
  try {
    for await (const message of stream) frames.push((message as StreamFrame).frame!);
  } catch (error) {
    return { frames, error: fromServiceError(error as ServiceError) };
  }
  return { frames, error: undefined };
}

const text = (frames: readonly Frame[]) =>
  frames.map((frame) => (frame.$case === 'stdout' ? Buffer.from(frame.value).toString() : frame.$case)).join('');

test('logs come from the node, with the container filled in', async () => {
  const asked: Frame[] = [];
  const node = await agent('n1', (stream) =>
    stream.once('data', ({ frame }: StreamFrame) => {
      asked.push(frame!);
      for (const line of ['one\n', 'two\n']) stream.write({ frame: { $case: 'stdout', value: Buffer.from(line) } });
      stream.end();
    }),
  );
  const { frames, error } = await drain(logs({ name: 'web', tailLines: 5 }));
  expect(error).toBeUndefined();
  expect(text(frames)).toBe('one\ntwo\n');
  expect(asked.at(-1)).toMatchObject({ $case: 'logs', value: { name: 'web', container: 'web', tailLines: 5 } });
  node.close();
});

test('exec carries input and output both ways, and every byte of them through full buffers', async () => {
  const node = await agent('n1', (stream) => {
    let received = 0;
    stream.on('data', ({ frame }: StreamFrame) => {
      if (frame?.$case === 'stdin') received += frame.value.length;
      if (frame?.$case !== 'stdinEnd') return;
      stream.write({ frame: { $case: 'stdout', value: Buffer.from(`got ${received}`) } });
      stream.write({ frame: { $case: 'exit', value: 3 } });
      stream.end();
    });
  });
  const exec: Frames = running.client.pods.exec();
  exec.write({
    frame: {
      $case: 'exec',
      value: {
        namespace: 'default',
        name: 'web',
        container: '',
        command: ['cat'],
        stdin: true,
        tty: false,
        size: undefined,
      },
    },
  });
  const chunk = Buffer.alloc(64 * 1024);
  for (let i = 0; i < 200; i++) exec.write({ frame: { $case: 'stdin', value: chunk } });
  exec.write({ frame: { $case: 'stdinEnd', value: true } });
  const { frames, error } = await drain(exec);
  expect(error).toBeUndefined();
  expect(frames.map(({ $case }) => $case)).toEqual(['stdout', 'exit']);
  expect(text(frames)).toBe(`got ${200 * chunk.length}exit`);
  node.close();
});

test('a caller who gives up ends the stream at the node, and a node that dies ends it at the caller', async () => {
  let gone = 0;
  let opened = 0;
  const node = await agent('n1', (stream) => {
    opened++;
    stream.on('gone', () => gone++);
    stream.resume();
    stream.write({ frame: { $case: 'stdout', value: Buffer.from('x') } });
  });
  const first = logs({ name: 'web', follow: true });
  const firstResult = drain(first);
  await waitFor(() => opened === 1);
  first.cancel();
  expect((await firstResult).error?.reason).toBe('Cancelled');
  await waitFor(() => gone === 1);
  const second = drain(logs({ name: 'web', follow: true }));
  await waitFor(() => opened === 2);
  node.close();
  expect(await second).toMatchObject({
    error: { reason: 'Unavailable', message: 'the connection to node "n1" was lost' },
  });
});

test.each([
  {
    what: 'a node that is not connected',
    request: { name: 'away' },
    reason: 'Unavailable',
    message: 'node "n2" is not connected',
  },
  { what: 'a pod on no node', request: { name: 'unplaced' }, reason: 'BadRequest', message: 'is on no node yet' },
  { what: 'no such pod', request: { name: 'nobody' }, reason: 'NotFound', message: 'pods "nobody"' },
  { what: 'several containers', request: { name: 'two' }, reason: 'BadRequest', message: 'choose one of a, b' },
  {
    what: 'no such container',
    request: { name: 'two', container: 'c' },
    reason: 'BadRequest',
    message: 'has no container "c"',
  },
])('$what is said clearly', async ({ request, reason, message }) => {
  const { error } = await drain(logs(request));
  expect(error).toMatchObject({ reason, message: expect.stringContaining(message) });
});

test('a new session of a node takes the place of the old one', async () => {
  const older = await agent('n1', () => {});
  const newer = await agent('n1', (stream) => stream.end());
  await waitFor(() => older.errors.some(({ reason }) => reason === 'Conflict'));
  expect((await drain(logs({ name: 'web' }))).error).toBeUndefined();
  older.close();
  newer.close();
});

test('with several apis, a call reaches the one that holds the session; an api that is gone is no riddle', async () => {
  const other = await startApi({ store: running.store, hub: running.hub });
  running.hub.stop();
  const node = await agent(
    'n2',
    (stream) =>
      stream.on('data', ({ frame }: StreamFrame) => {
        if (frame?.$case === 'stdin') stream.write({ frame: { $case: 'stdout', value: frame.value } });
        if (frame?.$case === 'logs') stream.write({ frame: { $case: 'stdout', value: Buffer.from('log') } });
        if (frame?.$case === 'logs' || frame?.$case === 'stdinEnd') stream.end();
      }),
    other.address,
  );
  await waitFor(async () => text((await drain(logs({ name: 'away' }))).frames) === 'log');
  const exec: Frames = running.client.pods.exec();
  const value = { ...ExecRequest.fromJSON({ namespace: 'default', name: 'away', stdin: true }), command: ['cat'] };
  exec.write({ frame: { $case: 'exec', value } });
  exec.write({ frame: { $case: 'stdin', value: Buffer.from('echo') } });
  exec.write({ frame: { $case: 'stdinEnd', value: true } });
  expect(text((await drain(exec)).frames)).toBe('echo');
  // Its entry stays behind, as after a sudden death.
  await running.store.commit({
    compare: [],
    ops: [{ type: 'put', key: '/navarch-sessions/n2', value: Buffer.from('127.0.0.1:1') }],
  });
  node.close();
  await other[Symbol.asyncDispose]();
  expect((await drain(logs({ name: 'away' }))).error).toMatchObject({
    reason: 'Unavailable',
    message: expect.stringContaining('node "n2" is not connected'),
  });
  running.hub.start();
});
