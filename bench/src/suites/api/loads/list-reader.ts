import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { grpcClientOptions, onAbort } from '@navarch/kit';
import { Form, WatchRequest } from '@navarch/proto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildContext } from '../../../frame/child.ts';
import { countFields } from '../wire-fields.ts';

export interface ListReader {
  readonly address: string;
  /** What it does with each message before it takes the next. */
  readonly pauseMs: number;
}

export interface ListResult {
  readonly objects: number;
  readonly seconds: number;
  readonly bytes: number;
}

/** Reads all Pods as the stream brings them, and decodes none. */
export default async function read({ address, pauseMs }: ListReader, { stopped }: ChildContext): Promise<ListResult> {
  const client = new Client(address, credentials.createInsecure(), grpcClientOptions);
  const ready = Promise.withResolvers<void>();
  client.waitForReady(Date.now() + 5_000, (error) => (error ? ready.reject(error) : ready.resolve()));
  await ready.promise;
  const targets = [{ resource: 'pods', namespace: '', labelSelector: '', fieldSelector: '' }];
  const request = WatchRequest.encode({ targets, after: 0n, form: Form.FULL }).finish();
  const startedMs = performance.now();
  const path = '/navarch.api.v1.Resources/Watch';
  const asIs = (bytes: Buffer) => bytes;
  const call = client.makeServerStreamRequest(path, asIs, asIs, Buffer.from(request), new Metadata());
  using _stop = onAbort(stopped, () => call.cancel());
  let objects = 0;
  let bytes = 0;
  for await (const message of call as AsyncIterable<Buffer>) {
    // WatchResponse: the events are field 2, and field 3 says that more of the beginning follows.
    const fields = countFields(message);
    objects += fields.get(2) ?? 0;
    bytes += message.length;
    if (!fields.has(3)) break;
    if (pauseMs > 0) await sleep(pauseMs);
  }
  call.cancel();
  client.close();
  return { objects, bytes, seconds: (performance.now() - startedMs) / 1000 };
}
