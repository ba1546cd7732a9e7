import { status } from '@grpc/grpc-js';
import { GetRequest } from '@navarch/proto';
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApi, type TestApi } from '../api.fixture.ts';
import { configMap } from '../pipeline/manifests.fixture.ts';

let running: TestApi;
let session: ClientHttp2Session;
beforeAll(async () => {
  running = await startApi();
  await running.client.create(configMap('here'));
  session = connect(`http://${running.address}`);
});
afterAll(async () => {
  session.destroy();
  await running[Symbol.asyncDispose]();
});

const message = Buffer.from(
  GetRequest.encode(GetRequest.fromJSON({ resource: 'configmaps', namespace: 'default', name: 'here' })).finish(),
);

/** A message as gRPC frames it, or with another flag or length than its own. */
function frame(content: Buffer, { compressed = 0, length = content.length } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, content]);
}

/** How a call ended, in whatever way the server says so. */
function send(body: Buffer, headers: Record<string, string>): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const stream = session.request({
    ':method': 'POST',
    ':path': '/navarch.api.v1.Resources/Get',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const tell = (from: IncomingHttpHeaders) => {
    const code = from['grpc-status'];
    if (code !== undefined) resolve(status[Number(code)] ?? String(code));
  };
  stream.on('response', (response) => {
    tell(response);
    if (response[':status'] !== 200) resolve(`HTTP ${response[':status']}`);
  });
  stream.on('trailers', tell);
  stream.on('error', () => resolve('reset'));
  stream.on('close', () => resolve(stream.rstCode === constants.NGHTTP2_NO_ERROR ? 'nothing' : 'reset'));
  stream.setTimeout(10_000, () => {
    reject(new Error('the api said nothing for ten seconds'));
    stream.close();
  });
  stream.resume();
  stream.end(body);
  return promise;
}

// What a call must look like is gRPC's affair, and so are these codes: its library answers before the api hears of it.
describe('a call that breaks the rules of gRPC itself ends at once, and harms no other', () => {
  test.each<{ what: string; body: Buffer; headers?: Record<string, string>; ends: readonly string[] }>([
    { what: 'none of this', body: frame(message), ends: ['OK'] },
    { what: 'a length of a gigabyte', body: frame(message, { length: 2 ** 30 }), ends: ['RESOURCE_EXHAUSTED'] },
    {
      what: 'a length that never comes',
      body: frame(message, { length: message.length + 50 }),
      ends: ['UNIMPLEMENTED'],
    },
    { what: 'half a head', body: Buffer.alloc(3), ends: ['UNIMPLEMENTED'] },
    { what: 'no message', body: Buffer.alloc(0), ends: ['UNIMPLEMENTED'] },
    { what: 'two messages', body: Buffer.concat([frame(message), frame(message)]), ends: ['UNIMPLEMENTED'] },
    { what: 'a length that is too short', body: frame(message, { length: 3 }), ends: ['RESOURCE_EXHAUSTED'] },
    {
      what: 'compression that is none',
      body: frame(message, { compressed: 1 }),
      headers: { 'grpc-encoding': 'gzip' },
      ends: ['INTERNAL'],
    },
    {
      what: 'compression that nobody knows',
      body: frame(message, { compressed: 1 }),
      headers: { 'grpc-encoding': 'magic' },
      ends: ['UNIMPLEMENTED'],
    },
    {
      what: 'a megabyte that becomes a gigabyte',
      body: frame(gzipSync(Buffer.alloc(2 ** 28)), { compressed: 1 }),
      headers: { 'grpc-encoding': 'gzip' },
      ends: ['RESOURCE_EXHAUSTED'],
    },
    {
      what: 'another content type',
      body: frame(message),
      headers: { 'content-type': 'text/plain' },
      ends: ['HTTP 415'],
    },
    {
      what: 'an unknown method',
      body: frame(message),
      headers: { ':path': '/navarch.api.v1.Resources/Explode' },
      ends: ['UNIMPLEMENTED'],
    },
    {
      what: 'a path that is none',
      body: frame(message),
      headers: { ':path': '/../../etc/passwd' },
      ends: ['UNIMPLEMENTED'],
    },
    {
      what: 'a deadline that is none',
      body: frame(message),
      headers: { 'grpc-timeout': 'soon' },
      ends: ['INTERNAL', 'OUT_OF_RANGE'],
    },
  ])('$what', async ({ body, headers = {}, ends }) => {
    expect(ends).toContain(await send(body, headers));
    expect(await running.client.get({ resource: 'configmaps', namespace: 'default', name: 'here' })).toBeDefined();
  });
});
