import { createClient } from '@navarch/client';
import { builtinKinds, fromResource, manifest, pod } from '@navarch/kinds';
import { Pod } from '@navarch/proto';
import { NumberedTemplate } from '../../api/numbered-template.ts';
import { pod as podResource } from '../../api/pods.ts';
import { ask, connectGateway, type GatewayAccess } from './https.ts';

export interface CreateLoad {
  /** Over gRPC, or else over HTTPS. */
  readonly api?: string;
  readonly gateway?: GatewayAccess;
  /** Pods are encoded from objects, and answers decoded to objects; else requests are ready and answers are left as bytes. */
  readonly objects: boolean;
  readonly inFlight: number;
  readonly from: number;
  /** So many are not timed: what is compiled and connected on the way is so then. */
  readonly warmUp: number;
  readonly pods: number;
}

export interface CreateTimes {
  readonly seconds: number;
}

/** Creates the Pod of this number. */
type Create = (number: number) => Promise<unknown>;

const path = '/api/v1/namespaces/default/pods';

/** Creates Pods, so many at once, and says how long it took for those that count. */
export default async function load(options: CreateLoad): Promise<CreateTimes> {
  const { api, gateway, objects, inFlight, from, warmUp, pods } = options;
  const { create, close } = api !== undefined ? overGrpc(api) : overHttps(gateway!, objects);
  let next = from;
  const upTo = async (end: number) => {
    const one = async () => {
      while (next < end) await create(next++);
    };
    await Promise.all(Array.from({ length: inFlight }, one));
  };
  await upTo(from + warmUp);
  const startedMs = performance.now();
  await upTo(from + warmUp + pods);
  const seconds = (performance.now() - startedMs) / 1000;
  close();
  return { seconds };
}

/** The project's own client, whose Pods are objects. */
function overGrpc(address: string): { create: Create; close: () => void } {
  const client = createClient({ address });
  const object = fromResource(podResource, builtinKinds).object as Pod;
  const { metadata = Pod.create().metadata } = object;
  return {
    create: (number) => client.create(pod, { ...object, metadata: { ...metadata!, name: nameOf(number) } }),
    close: () => client.close(),
  };
}

function overHttps(gateway: GatewayAccess, objects: boolean): { create: Create; close: () => void } {
  const session = connectGateway(gateway);
  const { kind, object } = fromResource(podResource, builtinKinds);
  const text = JSON.stringify(manifest(kind, object));
  const parsed = JSON.parse(text) as { metadata: Record<string, unknown> };
  const template = new NumberedTemplate(Buffer.from(text), 1);
  const encode = (number: number) =>
    objects
      ? Buffer.from(JSON.stringify({ ...parsed, metadata: { ...parsed.metadata, name: nameOf(number) } }))
      : template.from(number);
  const create = async (number: number) => {
    const answer = await ask(session, 'POST', path, encode(number));
    const pieces = await answer.toArray();
    return objects ? JSON.parse(Buffer.concat(pieces).toString('utf8')) : pieces;
  };
  return { create, close: () => session.destroy() };
}

const nameOf = (number: number): string => `web-7c9d8b6f5d-${String(number).padStart(8, '0')}`;
