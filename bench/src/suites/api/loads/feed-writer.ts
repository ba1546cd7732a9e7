import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { grpcClientOptions } from '@navarch/kit';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPod } from '../pods.ts';
import { nowMs, writeSentAt } from '../sent-at.ts';

export interface FeedWriter {
  readonly address: string;
  readonly perSecond: number;
  readonly seconds: number;
}

/** Creates Pods at a steady pace, whatever the answers take. Gives how many. */
export default async function write({ address, perSecond, seconds }: FeedWriter): Promise<number> {
  const template = createPod();
  const client = new Client(address, credentials.createInsecure(), grpcClientOptions);
  const asIs = (bytes: Buffer) => bytes;
  const create = (request: Buffer) =>
    new Promise<void>((resolve, reject) => {
      const path = '/navarch.api.v1.Resources/Create';
      client.makeUnaryRequest(path, asIs, asIs, request, new Metadata(), {}, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  const calls: Promise<void>[] = [];
  const startedMs = nowMs();
  while (calls.length < perSecond * seconds) {
    const due = Math.min(perSecond * seconds, Math.floor(((nowMs() - startedMs) * perSecond) / 1000));
    while (calls.length < due) {
      const request = template.from(calls.length);
      writeSentAt(request, nowMs());
      calls.push(create(request));
    }
    await sleep(1);
  }
  await Promise.all(calls);
  client.close();
  return calls.length;
}
