import { status } from '@grpc/grpc-js';
import { randomFrom } from '@navarch/machinery';
import { ClusterService, MetricsService, NodeSessionsService, PodsService, ResourcesService } from '@navarch/proto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApi, type TestApi } from '../api.fixture.ts';
import { configMap } from '../pipeline/manifests.fixture.ts';
import { breaks, registry, sample } from './broken-messages.fixture.ts';
import { contents } from './contents.fixture.ts';
import { type Method, RawClient } from './raw-client.fixture.ts';

const seed = 20_260;
const perMethod = 1_000;
const inFlight = 50;

const methods: readonly Method[] = [
  ResourcesService,
  ClusterService,
  PodsService,
  MetricsService,
  NodeSessionsService,
].flatMap((service) => Object.values(service));

let running: TestApi;
let raw: RawClient;
beforeAll(async () => {
  running = await startApi();
  raw = new RawClient(running.address);
  await running.client.create(configMap('here'));
});
afterAll(async () => {
  raw.close();
  await running[Symbol.asyncDispose]();
});

function inputOf({ path }: Method) {
  const [, service = '', name = ''] = path.split('/');
  const message = registry.getService(service)?.methods.find((method) => method.name === name)?.input;
  if (message === undefined) throw new Error(`${path} is not in the descriptors`);
  return message;
}

/** Broken messages for a method, each with what is wrong with it. */
function* broken(method: Method, count: number): Generator<{ what: string; bytes: Buffer }> {
  const message = inputOf(method);
  const random = randomFrom(seed);
  const kinds = Object.entries(breaks);
  for (let made = 0, i = 0; made < count; i++) {
    const [what, breakIt] = kinds[i % kinds.length] ?? ['', () => undefined];
    const bytes = breakIt(message, sample(message, random.below(2 ** 32)), random);
    if (bytes === undefined) continue;
    made++;
    yield { what: `${what} (the ${made}th with seed ${seed})`, bytes };
  }
}

describe('a message that can not be read is the fault of who sent it', () => {
  test.each(methods)('$path', async (method) => {
    const before = await contents(running.store);
    const wrong: string[] = [];
    const queue = broken(method, perMethod);
    const worker = async () => {
      for (const { what, bytes } of queue) {
        const { code, details } = await raw.call(method, bytes);
        if (code === status.INVALID_ARGUMENT && details.includes('can not be read')) continue;
        wrong.push(`${what}: ${status[code]} ${details}: ${bytes.subarray(0, 200).toString('base64')}`);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, worker));
    expect(wrong.slice(0, 5)).toEqual([]);
    // Nothing came of any of it, and the api is as it was.
    expect(await contents(running.store)).toEqual(before);
    expect(await running.client.get({ resource: 'configmaps', namespace: 'default', name: 'here' })).toBeDefined();
  });
});

test('memory stays flat', async () => {
  const some = async (count: number) => {
    for (const method of methods) {
      const messages = [...broken(method, count)];
      for (let i = 0; i < messages.length; i += inFlight) {
        await Promise.all(messages.slice(i, i + inFlight).map(({ bytes }) => raw.call(method, bytes)));
      }
    }
    const h = heapAfterCollection();
    console.log('HEAP', h);
    return h;
  };
  await some(50);
  const before = await some(50);
  const after = await some(250);
  expect(after - before).toBeLessThan(4 * 1024 * 1024);
});

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  // That is what the flag adds to each new context.
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
