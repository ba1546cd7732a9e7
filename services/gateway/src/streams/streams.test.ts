import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ExecInput, ExecOutput, ExecSession, PortForward } from '@navarch/client';
import { ApiError } from '@navarch/machinery';
import { SpdyConnection } from '@navarch/spdy';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { carryCommand, exitStatus } from './carry-command.ts';
import { ChannelStreams, readChannel } from './channels.ts';
import { PortChannels } from './port-channels.ts';
import { spdyCommand } from './spdy-command.ts';
import { StreamPairs } from './stream-pairs.ts';
import { acceptWebSocket, chooseProtocol } from './web-socket.ts';

/** Says back what it is told, in capitals on stderr, and ends with 3 when told that there is no more. */
class Echo implements ExecSession {
  readonly heard: ExecInput[] = [];
  readonly output: AsyncIterable<ExecOutput>;
  #wake = () => {};
  readonly #said: ExecOutput[] = [];

  constructor() {
    this.output = this.#out();
  }

  async send(input: ExecInput): Promise<void> {
    this.heard.push(input);
    if (input.type === 'stdin') {
      this.#said.push({ type: 'stdout', data: input.data });
      this.#said.push({ type: 'stderr', data: Buffer.from(String(Buffer.from(input.data)).toUpperCase()) });
    }
    if (input.type === 'end') this.#said.push({ type: 'exit', code: 3 });
    this.#wake();
  }

  async *#out(): AsyncGenerator<ExecOutput, void, void> {
    for (;;) {
      const next = this.#said.shift();
      if (next === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else {
        yield next;
        if (next.type === 'exit') return;
      }
    }
  }
}

const wanted = { stdin: true, stdout: true, stderr: true, tty: false };
const failed = {
  status: 'Failure',
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: '3' }] },
};

/** Carries each connection to what listens on the port: 80 answers with what it was told, on the others nothing listens. */
const ports: PortForward = {
  carry: async (local: Duplex, port: number) => {
    if (port !== 80) {
      local.destroy();
      throw new ApiError('BadRequest', `port ${port} of the Pod: connection refused`);
    }
    local.pipe(local);
    await once(local, 'close');
  },
  ended: new Promise(() => {}),
  close: () => {},
};

let server: Server;
let serve: (socket: WebSocket) => Promise<void>;
beforeEach(async () => {
  server = createServer();
  server.on('upgrade', (request, socket, head) => {
    void acceptWebSocket(request, socket, head, 'v5.channel.k8s.io').then(serve);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => void server.close());

async function connect() {
  const { port } = server.address() as AddressInfo;
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, ['v5.channel.k8s.io']);
  const byChannel = new Map<number, Buffer>();
  socket.on('message', (data: Buffer) => {
    const channel = data[0] ?? 0;
    byChannel.set(channel, Buffer.concat([byChannel.get(channel) ?? Buffer.alloc(0), data.subarray(1)]));
  });
  await once(socket, 'open');
  return { socket, said: (channel: number) => String(byChannel.get(channel) ?? '') };
}

test.each<{ name: string; message: number[]; input: ExecInput | undefined }>([
  { name: 'input', message: [0, 65], input: { type: 'stdin', data: Buffer.from('A') } },
  { name: 'no input', message: [0], input: undefined },
  {
    name: 'a size',
    message: [4, ...Buffer.from('{"Width":80,"Height":24}')],
    input: { type: 'resize', width: 80, height: 24 },
  },
  { name: 'no size', message: [4, ...Buffer.from('{"Width":-1,"Height":24}')], input: undefined },
  { name: 'what is no JSON', message: [4, 1, 2], input: undefined },
  { name: 'the end of input', message: [255, 0], input: { type: 'end' } },
  { name: 'the end of another channel', message: [255, 1], input: undefined },
  { name: 'an unknown channel', message: [9, 1], input: undefined },
  { name: 'nothing', message: [], input: undefined },
])('a message with $name', ({ message, input }) => {
  expect(readChannel(Buffer.from(message))).toEqual(input);
});

test('how a program ended, as a Status', () => {
  expect(exitStatus(0)).toMatchObject({ status: 'Success' });
  expect(exitStatus(3)).toMatchObject(failed);
});

test('a client that offers nothing known is told what is', () => {
  const request = { headers: { 'sec-websocket-protocol': 'v3.channel.k8s.io, v4.channel.k8s.io' } } as never;
  expect(chooseProtocol(request, 'sec-websocket-protocol', ['v5.channel.k8s.io', 'v4.channel.k8s.io'])).toBe(
    'v4.channel.k8s.io',
  );
  expect(() => chooseProtocol(request, 'sec-websocket-protocol', ['v5.channel.k8s.io'])).toThrow('known are v5');
});

describe('a program over a WebSocket', () => {
  test('gets input, its end and sizes; gives output, and its exit code last', async () => {
    const echo = new Echo();
    serve = (socket) => carryCommand(echo, new ChannelStreams(socket), wanted, true);
    const { socket, said } = await connect();
    const closed = once(socket, 'close');
    for (const message of [
      [0, ...Buffer.from('hello')],
      [4, ...Buffer.from('{"Width":1,"Height":2}')],
      [255, 0],
    ]) {
      socket.send(Buffer.from(message));
    }
    expect((await closed)[0]).toBe(1000);
    expect([said(1), said(2)]).toEqual(['hello', 'HELLO']);
    expect(JSON.parse(said(3))).toMatchObject(failed);
    expect(echo.heard.map(({ type }) => type)).toEqual(['stdin', 'resize', 'end']);
  });

  test('what breaks it is told, too', async () => {
    const broken: ExecSession = {
      // eslint-disable-next-line require-yield
      output: (async function* (): AsyncGenerator<ExecOutput> {
        throw new ApiError('Unavailable', 'the node went away');
      })(),
      send: async () => {},
    };
    serve = (socket) => carryCommand(broken, new ChannelStreams(socket), wanted, true);
    const { socket, said } = await connect();
    await once(socket, 'close');
    expect(JSON.parse(said(3))).toMatchObject({ status: 'Failure', message: 'the node went away', code: 503 });
  });
});

test('a program over SPDY', async () => {
  const [near, far] = duplexPair();
  const echo = new Echo();
  const serving = spdyCommand(far, wanted, new AbortController().signal).then((streams) =>
    carryCommand(echo, streams, wanted, true),
  );
  const client = new SpdyConnection(near, { role: 'client' });
  const open = (streamtype: string) => client.open({ streamtype });
  const [error, stdin, stdout, stderr] = await Promise.all(['error', 'stdin', 'stdout', 'stderr'].map(open));
  stdin?.end('hello');
  expect(await Promise.all([stdout, stderr].map((stream) => text(stream!)))).toEqual(['hello', 'HELLO']);
  expect(JSON.parse(await text(error!))).toMatchObject(failed);
  client.close();
  await serving;
});

test('connections over pairs of streams, each with an error of its own', async () => {
  const [near, far] = duplexPair();
  const pairs = new StreamPairs(ports);
  const over = new SpdyConnection(far, { role: 'server', onStream: (stream) => pairs.add(stream) });
  const client = new SpdyConnection(near, { role: 'client' });
  const talk = async (requestid: string, port: string) => {
    const error = await client.open({ streamtype: 'error', port, requestid });
    error.end();
    const data = await client.open({ streamtype: 'data', port, requestid });
    data.end(`to ${port}`);
    return [await text(data).catch(() => 'broken off'), await text(error)];
  };
  expect(await Promise.all([talk('1', '80'), talk('2', '81'), talk('3', '80')])).toEqual([
    ['to 80', ''],
    ['', 'port 81 of the Pod: connection refused'],
    ['to 80', ''],
  ]);
  client.close();
  await over.closed;
});

test('a connection for each port over channels', async () => {
  serve = (socket) => new PortChannels(socket, [80, 81]).carry(ports);
  const { socket, said } = await connect();
  socket.send(Buffer.from([0, ...Buffer.from('hello')]));
  await expect.poll(() => said(0).slice(2)).toBe('hello');
  await expect.poll(() => said(3).slice(2)).toBe('port 81 of the Pod: connection refused');
  expect(Buffer.from(said(0).slice(0, 2))).toEqual(Buffer.from([80, 0]));
  socket.close();
  await once(socket, 'close');
});
