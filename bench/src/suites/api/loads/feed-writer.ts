import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { grpcClientOptions } from '@navarch/kit';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../../../frame/samples.ts';
import { createPod } from '../pods.ts';
import { nowMs } from '../moments.ts';

export interface FeedWriter {
  readonly address: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** Before them, at the same pace, while the api becomes warm. */
  readonly warmUpSeconds: number;
}

export interface FeedWrites {
  readonly written: number;
  /** When it began to count, on the clock of `nowMs`. */
  readonly countedFromMs: number;
  /** What the calls themselves took. */
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** Creates Pods at a steady pace, whatever the answers take. */
export default async function write({ address, perSecond, seconds, warmUpSeconds }: FeedWriter): Promise<FeedWrites> {
  const template = createPod();
  const client = new Client(address, credentials.createInsecure(), grpcClientOptions);
  const asIs = (bytes: Buffer) => bytes;
  const tookMs: number[] = [];
  const create = (request: Buffer) =>
    new Promise<void>((resolve, reject) => {
      const startedMs = nowMs();
      const path = '/navarch.api.v1.Resources/Create';
      client.makeUnaryRequest(path, asIs, asIs, request, new Metadata(), {}, (error) => {
        if (error) return reject(error);
        if (startedMs >= countedFromMs) tookMs.push(nowMs() - startedMs);
        resolve();
      });
    });
  const calls: Promise<void>[] = [];
  const startedMs = nowMs();
  const countedFromMs = startedMs + warmUpSeconds * 1000;
  const all = perSecond * (warmUpSeconds + seconds);
  while (calls.length < all) {
    const due = Math.min(all, Math.floor(((nowMs() - startedMs) * perSecond) / 1000));
    while (calls.length < due) {
      const request = template.from(calls.length);
      calls.push(create(request));
    }
    await sleep(1);
  }
  await Promise.all(calls);
  client.close();
  return { written: calls.length, countedFromMs, medianMs: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99) };
}
