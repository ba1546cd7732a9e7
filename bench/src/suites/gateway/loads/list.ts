import { Client, credentials, Metadata } from '@grpc/grpc-js';
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

export interface ListTimes {
  readonly grpcSeconds: number;
  readonly httpsSeconds: number;
}

/** Lists all Pods at once, over each protocol by turns; objects are counted, and not decoded. */
export default async function load({ api, gateway, rounds, pods }: ListLoad): Promise<ListTimes> {
  const client = new Client(api, credentials.createInsecure(), grpcClientOptions);
  const session = connectGateway(gateway);
  const [grpc, https]: [number[], number[]] = [[], []];
  // The first round is for what is compiled and connected on the way.
  for (let round = 0; round <= rounds; round++) {
    const times = [await seconds(pods, () => overGrpc(client)), await seconds(pods, () => overHttps(session))] as const;
    if (round === 0) continue;
    grpc.push(times[0]);
    https.push(times[1]);
  }
  client.close();
  session.destroy();
  return { grpcSeconds: median(grpc), httpsSeconds: median(https) };
}

async function seconds(expected: number, list: () => Promise<number>): Promise<number> {
  const startedMs = performance.now();
  const objects = await list();
  if (objects !== expected) throw new Error(`a list brought ${objects} Pods, not ${expected}`);
  return (performance.now() - startedMs) / 1000;
}

function overGrpc(client: Client): Promise<number> {
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

async function overHttps(session: ReturnType<typeof connectGateway>): Promise<number> {
  const counter = new Counter('"ownerReferences":');
  for await (const piece of (await ask(session, 'GET', '/api/v1/pods')) as AsyncIterable<Buffer>) counter.push(piece);
  return counter.count;
}
