import { type Duplex, duplexPair } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { waitFor } from '@navarch/testing';
import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { SpdyConnection, type SpdyOptions } from './connection.ts';
import { encodeFrame } from './frames.ts';
import type { SpdyStream } from './stream.ts';

const open: SpdyConnection[] = [];
afterEach(async () => {
  for (const connection of open) connection.destroy();
  await Promise.all(open.splice(0).map(({ closed }) => closed));
});

function pair(options: Partial<SpdyOptions>): { client: SpdyConnection; server: SpdyConnection; wire: Duplex } {
  const [near, far] = duplexPair();
  const client = new SpdyConnection(near, { role: 'client' });
  const server = new SpdyConnection(far, { role: 'server', ...options });
  open.push(client, server);
  return { client, server, wire: near };
}

const echo = (stream: SpdyStream) => void stream.pipe(stream);

test('streams carry headers, both directions, and end each way for itself', async () => {
  const { client } = pair({
    onStream: (stream) => void text(stream).then((said) => stream.end(`${stream.header('streamType')} heard ${said}`)),
  });
  const stream = await client.open({ streamType: 'data' });
  stream.end('all');
  expect(await text(stream)).toBe('data heard all');
});

test('many streams at once keep their bytes apart and in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.uint8Array({ maxLength: 50_000 }), { maxLength: 4 }), { minLength: 1, maxLength: 8 }),
      async (said) => {
        const { client } = pair({ onStream: echo });
        const heard = await Promise.all(
          said.map(async (pieces) => {
            const stream = await client.open({});
            const reading = buffer(stream);
            for (const piece of pieces) stream.write(piece);
            stream.end();
            return reading;
          }),
        );
        expect(heard.map(String)).toEqual(said.map((pieces) => String(Buffer.concat(pieces))));
        client.close();
        await client.closed;
      },
    ),
    { numRuns: 20 },
  );
});

test('a reader that is behind holds the writer back, and lets it go on', async () => {
  const streams: SpdyStream[] = [];
  const { client } = pair({ onStream: (stream) => void streams.push(stream) });
  const stream = await client.open({});
  let taken = 0;
  const piece = Buffer.alloc(64 * 1024);
  const writing = (async () => {
    for (let count = 0; count < 64; count++) {
      await new Promise<void>((resolve) => stream.write(piece, () => resolve()));
      taken += piece.length;
    }
    stream.end();
  })();
  await waitFor(() => taken > 0);
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(taken).toBeLessThan(1024 * 1024);
  expect((await buffer(streams[0]!)).length).toBe(64 * piece.length);
  await writing;
});

test('a stream that is destroyed on one side is over on the other', async () => {
  const streams: SpdyStream[] = [];
  const { client } = pair({ onStream: (stream) => void streams.push(stream) });
  const stream = await client.open({});
  stream.write('last words');
  await waitFor(() => streams[0]?.readableLength);
  stream.destroy();
  expect(await text(streams[0]!)).toBe('last words');
  await waitFor(() => streams[0]?.destroyed);
});

test('streams that nobody wants, or beyond the limit, are refused', async () => {
  const { client } = pair({});
  await expect(client.open({})).rejects.toThrow('status 3');
  const limited = pair({ onStream: echo, maxStreams: 1 });
  const first = await limited.client.open({});
  await expect(limited.client.open({})).rejects.toThrow('status 3');
  first.end();
  await text(first);
  await expect(limited.client.open({})).resolves.toBeDefined();
});

test('the end of the connection ends its streams, those that wait for an answer too', async () => {
  const streams: SpdyStream[] = [];
  const { client, server } = pair({ onStream: (stream) => void streams.push(stream) });
  const stream = await client.open({});
  server.destroy();
  await client.closed;
  expect(await text(stream)).toBe('');
  await waitFor(() => stream.destroyed && streams[0]?.destroyed);
  await expect(client.open({})).rejects.toThrow('has ended');
});

test('a ping comes back, and a stream with a number that can not be ends the connection', async () => {
  const { server, wire } = pair({ onStream: echo });
  const answers: Buffer[] = [];
  wire.on('data', (chunk: Buffer) => answers.push(chunk));
  const ping = encodeFrame({ type: 'ping', id: 7 });
  wire.write(ping);
  await waitFor(() => Buffer.concat(answers).includes(ping));
  wire.write(encodeFrame({ type: 'rstStream', streamId: 99, status: 1 }));
  wire.write(encodeFrame({ type: 'synStream', streamId: 2, fin: false, block: Buffer.alloc(0) }));
  await server.closed;
});
