import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { type ApiClient, createClient } from '@navarch/client';
import { pod } from '@navarch/kinds';
import { grpcClientOptions } from '@navarch/kit';
import { ListRequest } from '@navarch/proto';
import { median } from '../../../frame/samples.ts';
import { countFields } from '../../api/wire-fields.ts';
import { ask, connectGateway, Counter, type GatewayAccess } from './https.ts';

export interface ListLoad {
  readonly api: string;
  readonly gateway: GatewayAccess;
  readonly rounds: number;
  readonly pods: number;
}

/** The median of the seconds that each way took. */
export interface ListTimes {
  /** Until the reader holds the Pods as objects. */
  readonly grpc: number;
  readonly https: number;
  /** Until it has the bytes, in which Pods are counted. */
  readonly grpcBytes: number;
  readonly httpsBytes: number;
}

type Way = keyof ListTimes;

/** Lists all Pods at once, in each way by turns. */
export default async function load({ api, gateway, rounds, pods }: ListLoad): Promise<ListTimes> {
  const client = createClient({ address: api });
  const bare = new Client(api, credentials.createInsecure(), grpcClientOptions);
  const session = connectGateway(gateway);
  const ways: Readonly<Record<Way, () => Promise<number>>> = {
    grpc: () => objectsOverGrpc(client),
    https: () => objectsOverHttps(session),
    grpcBytes: () => bytesOverGrpc(bare),
    httpsBytes: () => bytesOverHttps(session),
  };
  const times: Record<Way, number[]> = { grpc: [], https: [], grpcBytes: [], httpsBytes: [] };
  // The first round is for what is compiled and connected on the way.
  for (let round = 0; round <= rounds; round++) {
    for (const way of Object.keys(ways) as Way[]) {
      const took = await seconds(pods, ways[way]);
      if (round > 0) times[way].push(took);
    }
  }
  client.close();
  bare.close();
  session.destroy();
  return {
    grpc: median(times.grpc),
    https: median(times.https),
    grpcBytes: median(times.grpcBytes),
    httpsBytes: median(times.httpsBytes),
  };
}

async function seconds(expected: number, list: () => Promise<number>): Promise<number> {
  const startedMs = performance.now();
  const objects = await list();
  if (objects !== expected) throw new Error(`a list brought ${objects} Pods, not ${expected}`);
  return (performance.now() - startedMs) / 1000;
}

async function objectsOverGrpc(client: ApiClient): Promise<number> {
  return (await client.list(pod)).items.length;
}

async function objectsOverHttps(session: ReturnType<typeof connectGateway>): Promise<number> {
  const body = Buffer.concat(await (await ask(session, 'GET', '/api/v1/pods')).toArray());
  return (JSON.parse(body.toString('utf8')) as { items: unknown[] }).items.length;
}

function bytesOverGrpc(client: Client): Promise<number> {
  const request = Buffer.from(ListRequest.encode({ ...ListRequest.fromJSON({}), resource: 'pods' }).finish());
  const asIs = (bytes: Buffer) => bytes;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  client.makeUnaryRequest(
    '/navarch.api.v1.Resources/List',
    asIs,
    asIs,
    request,
    new Metadata(),
    {},
    (error, answer) => {
      if (error) reject(error);
      else resolve(countFields(answer ?? Buffer.alloc(0)).get(2) ?? 0);
    },
  );
  return promise;
}

async function bytesOverHttps(session: ReturnType<typeof connectGateway>): Promise<number> {
  const counter = new Counter('"ownerReferences":');
  for await (const piece of (await ask(session, 'GET', '/api/v1/pods')) as AsyncIterable<Buffer>) counter.push(piece);
  return counter.count;
}
