import { Duplex } from 'node:stream';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { systemClock } from '@navarch/kit';
import { etcd } from '@navarch/proto';
import { expect, test } from 'vitest';
import { ResponseReader } from './response-reader.ts';

/** A stream that has as many responses as anybody asks for, and counts them. */
function endless() {
  const call = new Duplex({ objectMode: true, write: (_chunk, _encoding, done) => done() });
  const made = { count: 0 };
  call._read = () => {
    made.count++;
    call.push(etcd.WatchResponse.fromPartial({ watchId: BigInt(made.count) }));
  };
  // Of a call, only what every stream has is used.
  return { call: call as unknown as ClientDuplexStream<etcd.WatchRequest, etcd.WatchResponse>, made };
}

const never = new AbortController().signal;
const turns = async () => {
  for (let i = 0; i < 100; i++) await new Promise((next) => setImmediate(next));
};

test('a reader that takes nothing holds a few responses, whatever the sender has', async () => {
  const { call, made } = endless();
  const reader = new ResponseReader(call);
  await turns();
  expect(made.count).toBeLessThan(30);
  for (let i = 1; i <= 1_000; i++) {
    await reader.wait(1_000, systemClock, never);
    expect(reader.take()?.watchId).toBe(BigInt(i));
  }
  call.destroy();
});

test('what came before the end is taken before its error', async () => {
  const { call } = endless();
  const reader = new ResponseReader(call);
  await reader.wait(1_000, systemClock, never);
  call.destroy(new Error('cut'));
  await turns();
  while (!reader.empty) expect(reader.take()).toBeDefined();
  expect(() => reader.take()).toThrow('cut');
});

test('waits no longer than it is told, than its signal, or than until it is woken', async () => {
  const silent = new Duplex({ objectMode: true, read: () => {}, write: () => {} });
  const reader = new ResponseReader(silent as unknown as ClientDuplexStream<etcd.WatchRequest, etcd.WatchResponse>);
  expect(await reader.wait(1, systemClock, never)).toBe(false);
  expect(await reader.wait(60_000, systemClock, AbortSignal.abort())).toBe(true);
  const woken = reader.wait(60_000, systemClock, never);
  reader.wake();
  expect(await woken).toBe(true);
  expect(reader.take()).toBeUndefined();
});
