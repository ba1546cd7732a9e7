import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApi, type TestApi } from '../api.fixture.ts';
import { configMap } from '../pipeline/manifests.fixture.ts';
import { absurdities } from './absurd-requests.fixture.ts';
import { contents } from './contents.fixture.ts';
import { LoopWatch } from './loop-watch.fixture.ts';
import { RawClient } from './raw-client.fixture.ts';

/**
 * The dearest of these requests, 100,000 labels, costs half a second of work, five microseconds a label. Where other
 * processes share the core's caches it is twice that; what grows faster than the request takes far longer.
 */
const longestTurnMs = 2_000;

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

describe('an absurd request is refused, changes nothing, and holds nobody up', () => {
  test.each(absurdities())('$method.path: $what', async ({ method, message, codes }) => {
    const before = await contents(running.store);
    using loop = new LoopWatch();
    const { code, details } = await raw.call(method, message);
    const allowed = codes.map((each) => status[each]);
    expect(allowed, details).toContain(status[code]);
    expect(loop.longestMs(), 'milliseconds in which nobody else was served').toBeLessThan(longestTurnMs);
    expect(await contents(running.store)).toEqual(before);
  });
});
