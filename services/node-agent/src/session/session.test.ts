import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server as NetServer } from 'node:net';
import { duplexPair } from 'node:stream';
import { text as allText } from 'node:stream/consumers';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { createLogger, systemClock } from '@navarch/kit';
import {
  type AgentMessage,
  AttachRequest,
  EphemeralContainer,
  ExecRequest,
  LogsRequest,
  NodeSessionsService,
  type OpenStream,
  type StreamFrame,
} from '@navarch/proto';
import { startPortForward } from '@navarch/client';
import { freePort, waitFor } from '@navarch/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { labelKeys } from '../pod/container-config.ts';
import { aPod, container } from '../pod/pod.fixture.ts';
import { FakeRuntime } from '../runtime/fake-runtime.ts';
import { containerConfig, sandboxConfig } from '../runtime/runtime.fixture.ts';
import type { Frame } from './frame-stream.ts';
import { PodAccess } from './pod-access.ts';
import { Session } from './session.ts';

type Stream = ServerDuplexStream<StreamFrame, StreamFrame>;

/** The api's side of sessions, as far as an agent sees it. */
class FakeApi {
  readonly nodes: string[] = [];
  readonly #server = new Server();
  #session: ServerDuplexStream<AgentMessage, OpenStream> | undefined;
  readonly #waiting = new Map<string, (stream: Stream) => void>();
  #counter = 0;

  async start(port = 0): Promise<number> {
    this.#server.addService(NodeSessionsService, {
      connect: (call: ServerDuplexStream<AgentMessage, OpenStream>) => {
        call.on('data', ({ nodeName }: AgentMessage) => this.nodes.push(nodeName));
        call.on('error', () => {});
        call.on('end', () => call.end());
        this.#session = call;
      },
      serve: (call: Stream) => {
        call.on('error', () => {});
        call.once('data', ({ frame }: StreamFrame) => {
          call.pause();
          if (frame?.$case === 'open') this.#waiting.get(frame.value)?.(call);
        });
      },
    });
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
  }

  /** Has the agent open a stream, and asks for something on it. */
  async ask(request: Frame): Promise<Stream> {
    const session = await waitFor(() => this.#session);
    const streamId = String(++this.#counter);
    const opened = new Promise<Stream>((resolve) => this.#waiting.set(streamId, resolve));
    session.write({ streamId });
    const stream = await opened;
    stream.write({ frame: request });
    return stream;
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}

const read = async (stream: Stream) => {
  const frames: Frame[] = [];
  for await (const message of stream) {
    const { frame } = message as StreamFrame; // the service's deserializer makes these
    if (frame) frames.push(frame);
  }
  stream.end();
  return frames;
};
const text = (frames: readonly Frame[], name: 'stdout' | 'stderr') =>
  frames.map((frame) => (frame.$case === name ? Buffer.from(frame.value).toString() : '')).join('');
const logs = (request: Partial<LogsRequest>): Frame => ({
  $case: 'logs',
  value: LogsRequest.fromPartial({ namespace: 'default', name: 'web', ...request }),
});
const exec = (request: Partial<ExecRequest>): Frame => ({
  $case: 'exec',
  value: ExecRequest.fromPartial({ namespace: 'default', name: 'web', ...request }),
});

const attach = (request: Partial<AttachRequest>): Frame => ({
  $case: 'attach',
  value: AttachRequest.fromPartial({ namespace: 'default', name: 'web', container: 'main', ...request }),
});
const listening = (server: NetServer) =>
  new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  );

let api: FakeApi;
let port: number;
let dir: string;
let runtime: FakeRuntime;
let session: Session;
const labels = { [labelKeys.uid]: 'u1', [labelKeys.container]: 'main' };
let abort: AbortController;
let sandboxId: string;
let containerId: string;
beforeEach(async () => {
  api = new FakeApi();
  port = await api.start();
  dir = await mkdtemp(join(tmpdir(), 'nv-session-'));
  runtime = new FakeRuntime();
  sandboxId = await runtime.runSandbox({ ...sandboxConfig('u1'), labels });
  containerId = await runtime.createContainer(sandboxId, {
    ...containerConfig('u1'),
    labels,
    logPath: join(dir, '0.log'),
  });
  await runtime.startContainer(containerId);
  const shell = EphemeralContainer.fromPartial({ name: 'shell', image: 'busybox:1', stdin: true });
  const pod = aPod({ containers: [container()], ephemeralContainers: [shell] });
  const access = new PodAccess({
    pods: { get: (key) => (JSON.stringify(key).includes('"web"') ? pod : undefined) },
    runtime,
    nodeName: 'n1',
    clock: systemClock,
  });
  abort = new AbortController();
  const logger = createLogger({ name: 'test', level: 'silent' });
  session = new Session({ address: `127.0.0.1:${port}`, nodeName: 'n1', access, runtime, clock: systemClock, logger });
  await session.start(abort.signal);
});
afterEach(async () => {
  abort.abort();
  await session.stop();
  api.stop();
  await rm(dir, { recursive: true });
});

const line = (second: number, words: string) => `2026-01-01T00:00:0${second}.000000000Z stdout F ${words}\n`;

describe('a session', () => {
  test('says which node it is, and comes back when the api was away', async () => {
    await waitFor(() => api.nodes.includes('n1'));
    api.stop();
    api = new FakeApi();
    await api.start(port);
    await waitFor(() => api.nodes.includes('n1'));
  });

  test('gives logs', async () => {
    await writeFile(join(dir, '0.log'), line(1, 'one') + line(2, 'two'));
    expect(text(await read(await api.ask(logs({}))), 'stdout')).toBe('one\ntwo\n');
    expect(text(await read(await api.ask(logs({ tailLines: 1, timestamps: true }))), 'stdout')).toBe(
      '2026-01-01T00:00:02.000000000Z two\n',
    );
  });

  test('gives the last words of a container while the next one is made', async () => {
    await writeFile(join(dir, '0.log'), line(1, 'going down'));
    runtime.crash(containerId, 3);
    await runtime.createContainer(sandboxId, { ...containerConfig('u1'), labels, logPath: join(dir, '1.log') });
    expect(text(await read(await api.ask(logs({}))), 'stdout')).toBe('going down\n');
  });

  test('follows logs until the container ends', async () => {
    await writeFile(join(dir, '0.log'), line(1, 'one'));
    const reading = read(await api.ask(logs({ follow: true })));
    await writeFile(join(dir, '0.log'), line(2, 'two'), { flag: 'a' });
    runtime.crash(containerId, 0);
    expect(text(await reading, 'stdout')).toBe('one\ntwo\n');
  });

  test.each([
    { name: 'another Pod', request: { name: 'other' }, reason: 'NotFound', message: 'is not on node "n1"' },
    {
      name: 'another container',
      request: { container: 'x' },
      reason: 'BadRequest',
      message: 'choose one of: main, shell',
    },
    { name: 'a previous container', request: { previous: true }, reason: 'BadRequest', message: 'was not restarted' },
  ])('refuses the logs of $name', async ({ request, reason, message }) => {
    const [frame] = await read(await api.ask(logs(request)));
    expect(frame).toMatchObject({ $case: 'error', value: { reason, message: expect.stringContaining(message) } });
  });

  test('runs a program with input, output and its exit code', async () => {
    const stream = await api.ask(exec({ command: ['sh', '-c', 'cat; echo oops >&2; exit 3'], stdin: true }));
    stream.write({ frame: { $case: 'stdin', value: Buffer.from('typed\n') } });
    stream.write({ frame: { $case: 'stdinEnd', value: true } });
    const frames = await read(stream);
    expect([text(frames, 'stdout'), text(frames, 'stderr')]).toEqual(['typed\n', 'oops\n']);
    expect(frames.at(-1)).toEqual({ $case: 'exit', value: 3 });
  });

  test('a megabyte comes whole', async () => {
    const frames = await read(await api.ask(exec({ command: ['sh', '-c', 'yes | head -c 1000000'] })));
    expect(text(frames, 'stdout').length).toBe(1_000_000);
  });

  test('kills the program when the user hangs up', async () => {
    const pidFile = join(dir, 'pid');
    const stream = await api.ask(exec({ command: ['sh', '-c', `echo $$ > ${pidFile}; while :; do sleep 0.05; done`] }));
    const pid = await waitFor(async () => Number(await readFile(pidFile, 'utf8')));
    stream.end();
    await waitFor(() => !isAlive(pid));
  });

  test.each([
    { name: 'a program that is not there', request: { command: ['/no/such'] }, message: 'not found' },
    { name: 'no program', request: { command: [] }, message: 'a command is needed' },
  ])('refuses $name', async ({ request, message }) => {
    const frames = await read(await api.ask(exec(request)));
    expect(frames.at(-1)).toMatchObject({ $case: 'error', value: { message: expect.stringContaining(message) } });
  });

  test('logs end after as many bytes as were asked for, and begin at the time', async () => {
    await writeFile(join(dir, '0.log'), line(1, 'one') + line(2, 'two') + line(3, 'three'));
    const request = logs({ sinceTime: '2026-01-01T00:00:02Z', limitBytes: 6n });
    expect(text(await read(await api.ask(request)), 'stdout')).toBe('two\nth');
  });

  test('attaches to the program of a container, and tells how it ended', async () => {
    const id = await runtime.createContainer(sandboxId, {
      ...containerConfig('u1'),
      labels: { ...labels, [labelKeys.container]: 'shell' },
      command: ['sh', '-c', 'read line; echo "got $line"; echo oops >&2; exit 4'],
      stdin: true,
    });
    await runtime.startContainer(id);
    const stream = await api.ask(attach({ container: 'shell', stdin: true }));
    stream.write({ frame: { $case: 'stdin', value: Buffer.from('typed\n') } });
    const frames = await read(stream);
    expect([text(frames, 'stdout'), text(frames, 'stderr')]).toEqual(['got typed\n', 'oops\n']);
    expect(frames.at(-1)).toEqual({ $case: 'exit', value: 4 });
  });

  test.each([
    { name: 'input', request: { stdin: true }, message: 'has no stdin' },
    { name: 'a terminal', request: { tty: true }, message: 'has no terminal' },
  ])('refuses $name for a container that was made without', async ({ request, message }) => {
    const frames = await read(await api.ask(attach(request)));
    expect(frames.at(-1)).toMatchObject({ $case: 'error', value: { message: expect.stringContaining(message) } });
  });

  test('reaches ports: many connections at once, each half for itself, and one that nobody reads holds no other up', async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      let bytes = 0;
      socket.on('data', (data) => (bytes += data.length)).on('end', () => socket.end(`got ${bytes}`));
    });
    const chatty = createServer((socket) => void socket.on('error', () => {}).end(Buffer.alloc(4_000_000)));
    const ports = await Promise.all([server, chatty].map(listening));
    const stream = await api.ask({ $case: 'portForward', value: { namespace: 'default', name: 'web' } });
    const send = async (frame: Frame) => void stream.write({ frame });
    const forward = startPortForward(stream as AsyncIterable<StreamFrame>, send, () => stream.end());
    // Nobody reads this one.
    const [, unread] = duplexPair();
    void forward.carry(unread, ports[1]!).catch(() => undefined);
    const answers = [1, 10, 1_000_000].map(async (size) => {
      const [here, there] = duplexPair();
      const carried = forward.carry(there, ports[0]!);
      here.end(Buffer.alloc(size));
      const [said] = await Promise.all([allText(here), carried]);
      return said;
    });
    expect(await Promise.all(answers)).toEqual(['got 1', 'got 10', 'got 1000000']);
    const [, refused] = duplexPair();
    await expect(forward.carry(refused, await freePort())).rejects.toThrow('connection refused');
    forward.close();
    unread.destroy();
    await forward.ended;
    for (const each of [server, chatty]) each.close();
  });

  test('refuses to run anything in a container that has ended', async () => {
    runtime.crash(containerId, 1);
    const frames = await read(await api.ask(exec({ command: ['true'] })));
    expect(frames.at(-1)).toMatchObject({
      $case: 'error',
      value: { reason: 'BadRequest', message: expect.stringContaining('does not run') },
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
