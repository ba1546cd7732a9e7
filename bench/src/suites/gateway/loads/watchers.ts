import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { grpcClientOptions } from '@navarch/kit';
import { Form, WatchRequest } from '@navarch/proto';
import { once } from 'node:events';
import type { ChildContext } from '../../../frame/child.ts';
import { countFields } from '../../api/wire-fields.ts';
import { ask, connectGateway, Counter, type GatewayAccess } from './https.ts';

export interface WatchersLoad {
  /** Over gRPC, or else over HTTPS. */
  readonly api?: string;
  readonly gateway?: GatewayAccess;
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

/** So many watchers of all Pods, on one connection; events are counted, and not decoded. */
export default async function load(options: WatchersLoad, { ready }: ChildContext): Promise<WatchersResult> {
  const { api, gateway, watchers, after, events } = options;
  const all = Promise.withResolvers<void>();
  let done = 0;
  const onDone = () => {
    if (++done === watchers) all.resolve();
  };
  const close =
    api !== undefined
      ? await overGrpc(api, watchers, after, events, onDone)
      : await overHttps(gateway!, watchers, after, events, onDone);
  const before = process.cpuUsage();
  ready();
  await all.promise;
  const endedAtMs = monotonicMs();
  const { user, system } = process.cpuUsage(before);
  close();
  return { endedAtMs, cpuSeconds: (user + system) / 1e6 };
}

export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

async function overGrpc(api: string, watchers: number, after: number, events: number, onDone: () => void) {
  const client = new Client(api, credentials.createInsecure(), grpcClientOptions);
  const targets = [{ resource: 'pods', namespace: '', labelSelector: '', fieldSelector: '' }];
  const request = Buffer.from(WatchRequest.encode({ targets, after: BigInt(after), form: Form.FULL }).finish());
  const asIs = (bytes: Buffer) => bytes;
  await Promise.all(
    Array.from({ length: watchers }, async () => {
      const path = '/navarch.api.v1.Resources/Watch';
      const call = client.makeServerStreamRequest(path, asIs, asIs, request, new Metadata());
      let seen = 0;
      call.on('error', () => undefined); // its end, which nobody waits for
      call.on('data', (message: Buffer) => {
        const before = seen;
        seen += countFields(message).get(2) ?? 0;
        if (before < events && seen >= events) onDone();
      });
      await once(call, 'data');
    }),
  );
  return () => client.close();
}

async function overHttps(gateway: GatewayAccess, watchers: number, after: number, events: number, onDone: () => void) {
  const session = connectGateway(gateway);
  await Promise.all(
    Array.from({ length: watchers }, async () => {
      const stream = await ask(session, 'GET', `/api/v1/pods?watch=true&resourceVersion=${after}`);
      const counter = new Counter('{"type":"');
      stream.on('data', (piece: Buffer) => {
        const before = counter.count;
        counter.push(piece);
        if (before < events && counter.count >= events) onDone();
      });
    }),
  );
  return () => session.destroy();
}
