import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { grpcClientOptions } from '@navarch/kit';
import { Resource, TransactResponse, etcd } from '@navarch/proto';
import type { ChildContext } from '../../../frame/child.ts';
import { percentile } from '../../../frame/samples.ts';
import type { NumberedTemplate } from '../numbered-template.ts';
import { createPod, createPods } from '../pods.ts';
import { rawCreates, rawPut } from '../raw-creates.ts';

/** Each kind of call: its method, what is sent, and whether the answer is the right one. */
const calls = {
  create: { path: '/navarch.api.v1.Resources/Create', template: createPod, good: isPod },
  transact: { path: '/navarch.api.v1.Resources/Transact', template: createPods, good: areAllMade },
  empty: { path: '/bench.Empty/Call', template: createPod, good: (answer: Buffer) => answer.length === 0 },
  rawCreates: { path: '/etcdserverpb.KV/Txn', template: rawCreates, good: areAllCommitted },
  rawPut: { path: '/etcdserverpb.KV/Txn', template: rawPut, good: areAllCommitted },
} satisfies Record<string, { path: string; template: () => NumberedTemplate; good: (answer: Buffer) => boolean }>;

export interface UnaryLoad {
  readonly call: keyof typeof calls;
  readonly address: string;
  /** So many calls wait for their answers at any time. */
  readonly inFlight: number;
  /** The first object's number. */
  readonly from: number;
  /** Ends after so many seconds, of which `warmUpSeconds` do not count; or after so many objects. */
  readonly until: { readonly seconds: number; readonly warmUpSeconds: number } | { readonly objects: number };
}

export interface UnaryResult {
  /** Objects whose call was answered while it counted. */
  readonly objects: number;
  readonly seconds: number;
  /** Of all calls that counted. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Processor time of the load itself while it counted. */
  readonly cpuSeconds: number;
  /** The number for the next object. */
  readonly next: number;
}

/** Makes calls as fast as they are answered, so many at once. Requests are encoded beforehand; answers are not decoded. */
export default async function load(options: UnaryLoad, { ready }: ChildContext): Promise<UnaryResult> {
  const { call, address, inFlight, from, until } = options;
  const { path, template: make, good } = calls[call];
  const template = make();
  const client = new Client(address, credentials.createInsecure(), grpcClientOptions);
  const asIs = (bytes: Buffer) => bytes;
  const numbers = { next: from, end: 'objects' in until ? from + until.objects : Number.POSITIVE_INFINITY };
  const latencies: number[] = [];
  let last: Buffer | undefined;
  const send = () =>
    new Promise<void>((resolve, reject) => {
      const startedMs = performance.now();
      const request = template.from(numbers.next);
      numbers.next += template.items;
      client.makeUnaryRequest(path, asIs, asIs, request, new Metadata(), {}, (error, answer) => {
        if (error) return reject(error);
        latencies.push(performance.now() - startedMs);
        last = answer;
        resolve();
      });
    });

  const timed = 'seconds' in until ? until : { seconds: Number.POSITIVE_INFINITY, warmUpSeconds: 0 };
  let counting = begin();
  const one = async () => {
    while (numbers.next < numbers.end) await send();
  };
  const warm = delay(timed.warmUpSeconds * 1000, () => {
    latencies.length = 0;
    counting = begin();
    ready();
  });
  const over = delay((timed.warmUpSeconds + timed.seconds) * 1000, () => (numbers.end = numbers.next));
  await Promise.all(Array.from({ length: inFlight }, one));
  clearTimeout(warm);
  clearTimeout(over);
  const spent = process.cpuUsage(counting.cpu);
  const seconds = (performance.now() - counting.atMs) / 1000;
  client.close();
  if (last === undefined || !good(last))
    throw new Error(`${path} did not do what was asked: ${last?.toString('latin1')}`);
  return {
    objects: latencies.length * template.items,
    seconds,
    medianMs: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    cpuSeconds: (spent.user + spent.system) / 1e6,
    next: numbers.next,
  };
}

const begin = () => ({ atMs: performance.now(), cpu: process.cpuUsage() });

/** A timer that never fires when it is for ever. */
function delay(ms: number, fn: () => void): NodeJS.Timeout | undefined {
  return Number.isFinite(ms) ? setTimeout(fn, ms) : undefined;
}

function isPod(answer: Buffer): boolean {
  return Resource.decode(answer).object?.$case === 'pod';
}

function areAllMade(answer: Buffer): boolean {
  return TransactResponse.decode(answer).results.every(({ result }) => result?.$case === 'resource');
}

function areAllCommitted(answer: Buffer): boolean {
  const { succeeded, responses } = etcd.TxnResponse.decode(answer);
  const nested = responses.flatMap(({ response }) => (response?.$case === 'responseTxn' ? [response.value] : []));
  return succeeded && nested.every((each) => each.succeeded);
}
