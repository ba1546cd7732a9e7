import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { NatsBus } from '@navarch/bus';
import { type KindDefinition, node, pod, service } from '@navarch/kinds';
import { createLogger } from '@navarch/kit';
import { isApiError, keyOf } from '@navarch/machinery';
import { Pod, Service } from '@navarch/proto';
import { type EtcdServer, freePorts, type NatsServer, startEtcd, startNats, waitFor } from '@navarch/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClientWrite } from './client.ts';
import { type ApiClient, createClient } from './grpc-client.ts';
import { createInformerSet } from './informers.ts';
import { createWrite, deleteWrite, updateWrite } from './writes.ts';

const root = join(import.meta.dirname, '../../..');
const logger = createLogger({ name: 'test', level: 'silent' });
const stop = new AbortController();
const kinds: readonly KindDefinition[] = [pod, service, node];

let etcd: EtcdServer;
let nats: NatsServer;
let api: ChildProcess;
let client: ApiClient;
let bus: NatsBus;
let startApi: () => ChildProcess;

beforeAll(async () => {
  [etcd, nats] = await Promise.all([startEtcd(), startNats()]);
  const [port = 0, metricsPort = 0] = await freePorts(2);
  const env = {
    ...process.env,
    NAVARCH_ETCD: etcd.endpoint,
    NAVARCH_NATS: nats.url,
    NAVARCH_LISTEN: `127.0.0.1:${port}`,
    NAVARCH_METRICS: `127.0.0.1:${metricsPort}`,
    NAVARCH_LOG_LEVEL: 'error',
  };
  const node = join(root, 'node_modules/.bin/node');
  startApi = () =>
    spawn(node, [join(root, 'services/api/dist/main.js')], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  api = startApi();
  client = createClient({ address: `127.0.0.1:${port}` });
  bus = NatsBus.connect({ servers: [nats.url], name: 'test', logger });
  await waitFor(() => client.version(), { timeoutMs: 60_000, what: 'the api to serve' });
});

afterAll(async () => {
  stop.abort(new Error('the test is over'));
  client?.close();
  await bus?.close();
  await killed(api);
  await Promise.all([etcd?.stop(), nats?.stop()]);
});

async function killed(process: ChildProcess | undefined): Promise<void> {
  if (!process || process.exitCode !== null || process.signalCode !== null) return;
  const ended = once(process, 'exit');
  process.kill('SIGKILL');
  await ended;
}

/** An informer set, and all that its handlers heard. */
function listen(over: { bus?: NatsBus }) {
  const informers = createInformerSet({
    api: client.raw,
    targets: kinds.map((kind) => ({ kind })),
    logger,
    freeze: true,
    ...over,
  });
  const heard: { revision: number; line: string }[] = [];
  for (const kind of kinds) {
    informers.onChange(kind, ({ type, object }) => {
      const version = object.metadata?.resourceVersion ?? '';
      heard.push({ revision: Number(version), line: `${version} ${kind.kind} ${type} ${keyOf(object)}` });
    });
  }
  void informers.run(stop.signal);
  return { informers, heard };
}

/** Up to 8 writes to different objects of a small set, so that many of them meet. */
function someWrites(): ClientWrite[] {
  const names = new Set(
    Array.from({ length: 1 + Math.floor(Math.random() * 8) }, () => Math.floor(Math.random() * 40)),
  );
  return [...names].map((at): ClientWrite => {
    const metadata = { name: `x${at}`, namespace: 'default', annotations: { nonce: String(Math.random()) } };
    const choice = Math.random();
    if (at % 2 === 0) {
      const object = Pod.fromJSON({ metadata, spec: { containers: [{ name: 'main', image: 'busybox' }] } });
      if (choice < 0.25) return deleteWrite(pod, metadata, { gracePeriodSeconds: 0 });
      return choice < 0.6 ? createWrite(pod, object) : updateWrite(pod, object);
    }
    const object = Service.fromJSON({ metadata, spec: { ports: [{ port: 80 }], selector: { app: 'x' } } });
    if (choice < 0.25) return deleteWrite(service, metadata);
    return choice < 0.6 ? createWrite(service, object) : updateWrite(service, object);
  });
}

test('a reader of the feed hears what a reader of the Watch hears, while NATS and the api are killed', async () => {
  const [onFeed, onWatch] = [listen({ bus }), listen({})];
  await Promise.all([onFeed.informers.synced(stop.signal), onWatch.informers.synced(stop.signal)]);
  await waitFor(() => onFeed.informers.source === 'feed', { timeoutMs: 20_000, what: 'the feed to lead on' });

  const untilMs = performance.now() + 8_000;
  const seen = new Set<string>();
  const write = async () => {
    while (performance.now() < untilMs) {
      seen.add(onFeed.informers.source);
      try {
        await client.transact(someWrites(), { atomic: Math.random() < 0.3, timeoutMs: 5_000 });
      } catch (error) {
        if (!isApiError(error)) throw error;
        if (error.reason === 'Unavailable') await delay(50); // the api is down: part of the test
      }
    }
  };
  const disturb = async () => {
    for (let turn = 0; performance.now() < untilMs - 2_000; turn++) {
      await delay(1_000); // some quiet between two faults
      if (turn % 3 === 2) {
        await killed(api);
        api = startApi();
      } else {
        await nats.kill();
        await delay(500 * Math.random());
        await nats.start();
      }
    }
  };
  await Promise.all([write(), write(), disturb()]);

  const { revision } = await client.version();
  await Promise.all([
    onFeed.informers.reached(revision, stop.signal),
    onWatch.informers.reached(revision, stop.signal),
  ]);
  expect(seen).toContain('feed');
  expect(seen).toContain('watch');
  const inOrder = (heard: readonly { revision: number }[]) =>
    heard.every(({ revision }, at) => at === 0 || revision >= (heard[at - 1]?.revision ?? 0));
  expect([inOrder(onFeed.heard), inOrder(onWatch.heard)]).toEqual([true, true]);
  // Within a revision the order is nobody's promise.
  const lines = (heard: readonly { line: string }[]) => heard.map(({ line }) => line).sort();
  expect(onWatch.heard.length).toBeGreaterThan(100);
  expect(lines(onFeed.heard)).toEqual(lines(onWatch.heard));
  for (const kind of kinds) {
    const truth = (await client.list(kind)).items.map(
      ({ metadata }) => `${metadata?.name}@${metadata?.resourceVersion}`,
    );
    const cached = onFeed.informers.lister(kind).list();
    expect(cached.map(({ metadata }) => `${metadata?.name}@${metadata?.resourceVersion}`).sort()).toEqual(truth.sort());
  }
  await waitFor(() => onFeed.informers.source === 'feed', { timeoutMs: 30_000, what: 'the feed to lead on again' });
});
