import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { endpointSlice, service } from '@navarch/kinds';
import { createLogger, createMetrics, systemClock } from '@navarch/kit';
import { EndpointSlice, Service } from '@navarch/proto';
import { type Answer, decode, encode, type RecordType, streamDecode, streamEncode } from 'dns-packet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FixedInformers } from '../informers.fixture.ts';
import { nameServers } from './resolv-conf.ts';
import { DnsServer } from './server.ts';

const informers = new FixedInformers();
const life = new AbortController();
const directory = mkdtempSync(join(tmpdir(), 'nv-dns-'));
let upstream: Socket;
let upstreamQuestions = 0;
let silent = false;
let server: DnsServer;

const manyEndpoints = Array.from({ length: 120 }, (_, index) => ({
  addresses: [`10.244.0.${index + 1}`],
  conditions: { ready: true },
}));

beforeAll(async () => {
  upstream = createSocket('udp4');
  upstream.on('message', (message, from) => {
    upstreamQuestions++;
    if (silent) return;
    const { id = 0, questions = [] } = decode(message);
    const answers: Answer[] = [{ type: 'A', name: questions[0]?.name ?? '', ttl: 60, data: '192.0.2.80' }];
    upstream.send(encode({ type: 'response', id, questions, answers }), from.port, from.address);
  });
  upstream.bind(0, '127.0.0.1');
  await once(upstream, 'listening');
  writeFileSync(join(directory, 'resolv.conf'), 'nameserver 127.0.0.1\n');
  server = new DnsServer({
    services: informers.lister(service),
    endpointSlices: informers.lister(endpointSlice),
    address: '127.0.0.2',
    port: 0,
    serviceCidr: '10.96.0.0/16',
    clusterCidr: '10.244.0.0/16',
    resolvConf: join(directory, 'resolv.conf'),
    upstreamPort: upstream.address().port,
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: createMetrics('test', { process: false }),
    clock: systemClock,
  });
  informers.set(service, [
    Service.fromPartial({ metadata: { name: 'web', namespace: 'default' }, spec: { clusterIp: '10.96.0.20' } }),
    Service.fromPartial({ metadata: { name: 'big', namespace: 'default' }, spec: { clusterIp: 'None' } }),
    Service.fromPartial({
      metadata: { name: 'near', namespace: 'default' },
      spec: { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' },
    }),
  ]);
  const labels = { 'kubernetes.io/service-name': 'big' };
  informers.set(endpointSlice, [
    EndpointSlice.fromPartial({ metadata: { name: 'big-1', namespace: 'default', labels }, endpoints: manyEndpoints }),
  ]);
  await server.start(life.signal);
});
afterAll(async () => {
  life.abort();
  await server.stop();
  upstream.close();
  rmSync(directory, { recursive: true });
});

const question = (name: string, type: RecordType = 'A', more = {}) =>
  encode({ type: 'query', id: 7, flags: 0x0100, questions: [{ name, type }], ...more });

async function byUdp(message: Buffer) {
  const socket = createSocket('udp4');
  socket.send(message, server.port ?? 0, '127.0.0.2');
  const [reply]: Buffer[] = await once(socket, 'message', { signal: AbortSignal.timeout(8_000) });
  socket.close();
  return { bytes: reply?.length ?? 0, ...decode(reply ?? Buffer.alloc(0)) };
}

describe('by UDP', () => {
  test('a name of the cluster is answered with authority, for five seconds', async () => {
    const reply = await byUdp(question('web.default.svc.cluster.local'));
    expect(reply).toMatchObject({
      id: 7,
      rcode: 'NOERROR',
      flag_aa: true,
      flag_ra: true,
      answers: [{ type: 'A', data: '10.96.0.20', ttl: 5 }],
    });
  });

  test('a name that is missing comes with how long to believe so', async () => {
    const reply = await byUdp(question('nothing.default.svc.cluster.local'));
    expect(reply).toMatchObject({
      rcode: 'NXDOMAIN',
      answers: [],
      authorities: [{ type: 'SOA', data: { minimum: 5 } }],
    });
  });

  test('a name without records of the type is there all the same', async () => {
    expect(await byUdp(question('web.default.svc.cluster.local', 'AAAA'))).toMatchObject({
      rcode: 'NOERROR',
      answers: [],
      authorities: [{ type: 'SOA' }],
    });
  });

  test('a type that nobody here knows is answered as asked: browsers ask for HTTPS records', async () => {
    const asked = question('web.default.svc.cluster.local');
    asked.writeUInt16BE(65, asked.length - 4);
    expect(await byUdp(asked)).toMatchObject({ rcode: 'NOERROR', questions: [{ type: 'UNKNOWN_65' }], answers: [] });
  });

  test('too many records for 512 bytes send the asker to TCP', async () => {
    const reply = await byUdp(question('big.default.svc.cluster.local'));
    expect(reply).toMatchObject({ flag_tc: true, answers: [] });
    expect(reply.bytes).toBeLessThanOrEqual(512);
  });

  test('an asker that can take more gets no more than travels unfragmented', async () => {
    const additionals: Answer[] = [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 65_000,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ];
    const reply = await byUdp(question('web.default.svc.cluster.local', 'A', { additionals }));
    expect(reply.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232 }]);
    expect((await byUdp(question('big.default.svc.cluster.local', 'A', { additionals }))).bytes).toBeLessThanOrEqual(
      1232,
    );
  });

  test('an ExternalName comes with what it leads to', async () => {
    const { answers } = await byUdp(question('near.default.svc.cluster.local'));
    expect(answers).toMatchObject([
      { type: 'CNAME', data: 'web.default.svc.cluster.local' },
      { type: 'A', data: '10.96.0.20' },
    ]);
  });

  test('what is no question is refused; an answer is ignored', async () => {
    expect(
      await byUdp(Buffer.concat([Buffer.from([0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), Buffer.from('garbage')])),
    ).toMatchObject({ id: 9, rcode: 'FORMERR' });
    const socket = createSocket('udp4');
    const answers: unknown[] = [];
    socket.on('message', (message) => answers.push(message));
    socket.send(encode({ type: 'response', id: 1 }), server.port ?? 0, '127.0.0.2');
    await byUdp(question('web.default.svc.cluster.local'));
    socket.close();
    expect(answers).toEqual([]);
  });
});

describe('by TCP', () => {
  test('everything fits, and several questions may share a connection', async () => {
    const socket = connect(server.port ?? 0, '127.0.0.2');
    const ask = (name: string) =>
      socket.write(streamEncode({ type: 'query', id: 3, questions: [{ name, type: 'A' }] }));
    let received = Buffer.alloc(0);
    const counts: number[] = [];
    ask('big.default.svc.cluster.local');
    ask('web.default.svc.cluster.local');
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        counts.push(streamDecode(received.subarray(0, end)).answers?.length ?? 0);
        received = received.subarray(end);
      }
      if (counts.length === 2) break;
    }
    expect(counts).toEqual([120, 1]);
  });
});

describe('other names', () => {
  test('are asked of the node’s name servers', async () => {
    expect(await byUdp(question('example.com'))).toMatchObject({ id: 7, answers: [{ data: '192.0.2.80' }] });
  });

  test('are SERVFAIL when these are silent, and equal questions are asked once', async () => {
    silent = true;
    upstreamQuestions = 0;
    const replies = await Promise.all([byUdp(question('slow.example.com')), byUdp(question('slow.example.com'))]);
    silent = false;
    expect(replies).toMatchObject([{ rcode: 'SERVFAIL' }, { rcode: 'SERVFAIL' }]);
    expect(upstreamQuestions).toBe(1);
  });
});

test('we are never our own name server', () => {
  expect(
    nameServers('# x\nnameserver 10.96.0.10\nnameserver 192.0.2.1\n nameserver fe80::1\nsearch a\n', ['10.96.0.10']),
  ).toEqual(['192.0.2.1', 'fe80::1']);
  expect(nameServers('', [])).toEqual([]);
});
