import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { createClient } from '@navarch/client';
import { pod } from '@navarch/kinds';
import { grpcClientOptions } from '@navarch/kit';
import { Form, WatchRequest } from '@navarch/proto';
import { once } from 'node:events';
import type { ChildContext } from '../../../frame/child.ts';
import { countFields } from '../../api/wire-fields.ts';
import { ask, connectGateway, Counter, type GatewayAccess, Lines } from './https.ts';

export interface WatchersLoad {
  /** Over gRPC, or else over HTTPS. */
  readonly api?: string;
  readonly gateway?: GatewayAccess;
  /** Events are decoded to objects; else they are counted in the bytes. */
  readonly objects: boolean;
  readonly watchers: number;
  /** Changes after this revision. */
  readonly after: number;
  /** Over once each has so many events. */
  readonly events: number;
}

/** When the last of the watchers had all events: milliseconds of the machine's monotonic clock, in all processes the same. */
export interface WatchersResult {
  readonly endedAtMs: number;
  readonly cpuSeconds: number;
}

/** What one watcher tells as it hears of so many more events. */
type Hear = (more: number) => void;

/** So many watchers of all Pods, on one connection. */
export default async function load(options: WatchersLoad, { ready }: ChildContext): Promise<WatchersResult> {
  const { api, gateway, objects, watchers, after, events } = options;
  const all = Promise.withResolvers<void>();
  let done = 0;
  const hearing = (): Hear => {
    let seen = 0;
    return (more) => {
      const before = seen;
      seen += more;
      if (before < events && seen >= events && ++done === watchers) all.resolve();
    };
  };
  const hears = Array.from({ length: watchers }, hearing);
  const close =
    api === undefined
      ? await overHttps(gateway!, after, objects, hears)
      : objects
        ? await objectsOverGrpc(api, after, hears)
        : await bytesOverGrpc(api, after, hears);
  const before = process.cpuUsage();
  ready();
  await all.promise;
  const endedAtMs = monotonicMs();
  const { user, system } = process.cpuUsage(before);
  close();
  return { endedAtMs, cpuSeconds: (user + system) / 1e6 };
}

export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** The project's own client, as everything in the project watches. */
async function objectsOverGrpc(address: string, after: number, hears: readonly Hear[]): Promise<() => void> {
  const client = createClient({ address });
  const stopped = new AbortController();
  await Promise.all(
    hears.map(async (hear) => {
      const begun = Promise.withResolvers<void>();
      const watching = async () => {
        for await (const batch of client.watch(pod, { after: BigInt(after), signal: stopped.signal })) {
          begun.resolve();
          hear(batch.events.length);
        }
      };
      watching().catch(begun.reject);
      await begun.promise;
    }),
  );
  return () => {
    stopped.abort();
    client.close();
  };
}

async function bytesOverGrpc(api: string, after: number, hears: readonly Hear[]): Promise<() => void> {
  const client = new Client(api, credentials.createInsecure(), grpcClientOptions);
  const targets = [{ resource: 'pods', namespace: '', labelSelector: '', fieldSelector: '' }];
  const request = Buffer.from(WatchRequest.encode({ targets, after: BigInt(after), form: Form.FULL }).finish());
  const asIs = (bytes: Buffer) => bytes;
  await Promise.all(
    hears.map(async (hear) => {
      const path = '/navarch.api.v1.Resources/Watch';
      const call = client.makeServerStreamRequest(path, asIs, asIs, request, new Metadata());
      call.on('error', () => undefined); // its end, which nobody waits for
      call.on('data', (message: Buffer) => hear(countFields(message).get(2) ?? 0));
      await once(call, 'data');
    }),
  );
  return () => client.close();
}

async function overHttps(
  gateway: GatewayAccess,
  after: number,
  objects: boolean,
  hears: readonly Hear[],
): Promise<() => void> {
  const session = connectGateway(gateway);
  await Promise.all(
    hears.map(async (hear) => {
      const stream = await ask(session, 'GET', `/api/v1/pods?watch=true&resourceVersion=${after}`);
      if (objects) {
        const lines = new Lines((line) => {
          if ((JSON.parse(line) as { type: string }).type !== 'BOOKMARK') hear(1);
        });
        stream.on('data', (piece: Buffer) => lines.push(piece));
        return;
      }
      const counter = new Counter('{"type":"');
      stream.on('data', (piece: Buffer) => {
        const before = counter.count;
        counter.push(piece);
        hear(counter.count - before);
      });
    }),
  );
  return () => session.destroy();
}
