import { Connection } from '@navarch/client';
import { createLogger, systemClock } from '@navarch/kit';
import { AccessService, ListRequest, ResourcesService, UserInfo } from '@navarch/proto';
import { freePorts } from '@navarch/testing';
import { generateKeyPairSync } from 'node:crypto';
import { Child, runChild } from '../frame/child.ts';
import type { Figure, Suite, SuiteOptions } from '../frame/figure.ts';
import { cpuSeconds, residentMiB } from '../frame/process-usage.ts';
import { ServiceProcess } from '../frame/service-process.ts';
import { type ApiProcess, startApiProcess } from './api/api-process.ts';
import { diskEtcd, load } from './api/measure.ts';
import { batchSize } from './api/pods.ts';
import type { CreateLoad, CreateTimes } from './gateway/loads/create.ts';
import type { GatewayAccess } from './gateway/loads/https.ts';
import type { ListTimes } from './gateway/loads/list.ts';
import { monotonicMs, type WatchersLoad, type WatchersResult } from './gateway/loads/watchers.ts';

/** What a part has at hand: an api that holds 10,000 Pods, and a gateway. */
interface Scene {
  readonly api: ApiProcess;
  readonly gateway: ServiceProcess;
  readonly access: GatewayAccess;
  readonly say: (line: string) => void;
  /** The number for the next Pod. */
  next: number;
}

/** Over which protocol; with objects at both ends, as clients have them, or with bytes. */
type Over = ({ readonly api: string } | { readonly gateway: GatewayAccess }) & { readonly objects: boolean };

const pods = 10_000;
const creates = 5_000;
const warmUp = 1_000;
const inFlight = 64;
const watchers = 500;
const watched = 200;
const goal = { ratioAtMost: 2 } as const;
const module = (name: string) => new URL(`gateway/loads/${name}.js`, import.meta.url);

const parts: Readonly<Record<string, (scene: Scene) => AsyncIterable<Figure>>> = { list, create, watch };

/**
 * What the Kubernetes HTTP API costs beside the same work over gRPC, in the same run. The same work is the client's: from its
 * objects to its objects. Over gRPC that is the project's own client, over HTTPS JSON.stringify and JSON.parse. What the way
 * alone costs, with bytes at both ends, stands beside it without a goal: JSON is more to make, and quicker to read.
 */
export const gateway: Suite = {
  name: 'gateway',
  summary: 'lists, creates and watches over HTTPS, beside the same over gRPC',
  parts: Object.keys(parts),
  async *run({ say, signal, only, profileDir }: SuiteOptions): AsyncIterable<Figure> {
    await using etcd = await diskEtcd();
    const api = await startApiProcess({ etcd: etcd.endpoint, profileDir });
    const [port = 0] = await freePorts(1);
    const listen = `127.0.0.1:${port}`;
    const env = { NAVARCH_API: api.address, NAVARCH_GATEWAY_LISTEN: listen };
    const service = await ServiceProcess.start({ service: 'gateway', profileDir, env });
    try {
      yield { name: 'memory of an idle gateway', value: residentMiB(service.pid), unit: 'MiB' };
      say(`creating ${pods} Pods …`);
      await load({ call: 'transact', address: api.address, inFlight: 4, from: 0, until: { objects: pods } });
      const scene: Scene = { api, gateway: service, access: await accessTo(api.address, listen), say, next: pods };
      for (const [name, part] of Object.entries(parts)) {
        if (only !== undefined && !only.includes(name)) continue;
        signal.throwIfAborted();
        yield* part(scene);
      }
    } finally {
      await service.stop();
      await api.stop();
    }
  },
};

async function* list({ api, access, say }: Scene): AsyncIterable<Figure> {
  say(`listing ${pods} Pods, by turns …`);
  const options = { api: api.address, gateway: access, rounds: 5, pods };
  const times = await runChild<ListTimes>(module('list'), options);
  const name = `${pods} Pods listed`;
  yield { name, value: times.https, limit: times.grpc, unit: 's', goal };
  yield { name: `${name}, not decoded`, value: times.httpsBytes, limit: times.grpcBytes, unit: 's' };
}

async function* create(scene: Scene): AsyncIterable<Figure> {
  const { api, access: gateway, say } = scene;
  const name = `${creates} Pods created, ${inFlight} in flight`;
  const overGrpc = { api: api.address, objects: true };
  say(`creating ${creates} Pods, ${inFlight} in flight, over gRPC and over HTTPS …`);
  const limit = await createdOver(scene, overGrpc);
  yield { name, value: await createdOver(scene, { gateway, objects: true }), limit, unit: 's', goal };
  const from = taken(scene, creates);
  const until = { objects: creates };
  const ready = await load({ call: 'create', address: api.address, inFlight, from, until });
  const value = await createdOver(scene, { gateway, objects: false });
  yield { name: `${name}, not decoded`, value, limit: ready.seconds, unit: 's' };
}

async function createdOver(scene: Scene, over: Over): Promise<number> {
  const { api, gateway: service, say } = scene;
  const before = [cpuSeconds(api.pid), cpuSeconds(service.pid)] as const;
  const options: CreateLoad = { ...over, inFlight, from: taken(scene, warmUp + creates), warmUp, pods: creates };
  const { seconds } = await runChild<CreateTimes>(module('create'), options);
  const micros = (spent: number, before: number) => (((spent - before) * 1e6) / (warmUp + creates)).toFixed(0);
  const [ofApi, ofGateway] = [micros(cpuSeconds(api.pid), before[0]), micros(cpuSeconds(service.pid), before[1])];
  say(`  processor time for each: ${ofApi} µs api, ${ofGateway} µs gateway`);
  return seconds;
}

/** The first of so many numbers that nobody else has. */
function taken(scene: Scene, numbers: number): number {
  const { next } = scene;
  scene.next += numbers;
  return next;
}

async function* watch(scene: Scene): AsyncIterable<Figure> {
  const { api, access: gateway, say } = scene;
  const name = `${watchers} watchers of ${watched} creates`;
  say(`${name}, over gRPC and over HTTPS …`);
  for (const objects of [true, false]) {
    const limit = await heard(scene, { api: api.address, objects });
    const value = await heard(scene, { gateway, objects });
    yield { name: objects ? name : `${name}, not decoded`, value, limit, unit: 's', ...(objects && { goal }) };
  }
}

/** Seconds from the first write until the last of the watchers has heard of the last. */
async function heard(scene: Scene, over: Over): Promise<number> {
  const { api, gateway: service, say } = scene;
  const after = await revisionOf(api.address);
  const options: WatchersLoad = { ...over, watchers, after, events: watched };
  const child = new Child<WatchersResult>(module('watchers'), options);
  try {
    await child.ready();
    const [apiBefore, gatewayBefore, startedAtMs] = [cpuSeconds(api.pid), cpuSeconds(service.pid), monotonicMs()];
    const from = taken(scene, watched + batchSize);
    await load({ call: 'create', address: api.address, inFlight: 4, from, until: { objects: watched } });
    const { endedAtMs, cpuSeconds: own } = await child.result();
    const spent = [cpuSeconds(api.pid) - apiBefore, cpuSeconds(service.pid) - gatewayBefore];
    say(
      `  processor time: ${spent[0]?.toFixed(2)} s api, ${spent[1]?.toFixed(2)} s gateway, ${own.toFixed(2)} s watchers`,
    );
    return (endedAtMs - startedAtMs) / 1000;
  } finally {
    await child.kill();
  }
}

/** A connection of our own, for one question. */
async function withApi<R>(address: string, use: (connection: Connection) => Promise<R>): Promise<R> {
  const logger = createLogger({ name: 'bench', level: 'warn' });
  const connection = new Connection({ address, logger, clock: systemClock });
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}

async function revisionOf(address: string): Promise<number> {
  const request = { ...ListRequest.fromJSON({}), resource: 'pods', limit: 1 };
  return await withApi(address, async (api) => Number((await api.read(ResourcesService.list, request)).revision));
}

/** As its administrator. */
async function accessTo(api: string, listen: string): Promise<GatewayAccess> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const request = {
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    of: { $case: 'user' as const, value: UserInfo.fromPartial({ username: 'bench', groups: ['system:masters'] }) },
    validSeconds: 3600n,
  };
  const { certificate, authority } = await withApi(api, (connection) =>
    connection.unary(AccessService.issueCertificate, request),
  );
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { url: `https://${listen}`, authority, certificate, key };
}
