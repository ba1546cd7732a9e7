import { MemoryHub, subject } from '@navarch/bus';
import { createLogger, VirtualClock } from '@navarch/kit';
import { NodeUsageReport } from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import { expect, test } from 'vitest';
import { FakeRuntime } from '../runtime/fake-runtime.ts';
import { containerConfig, sandboxConfig } from '../runtime/runtime.fixture.ts';
import { UsageReporter } from './usage-reporter.ts';

test('tells every interval what is used, from the second reading on; silent while the bus is down', async () => {
  const clock = new VirtualClock();
  const hub = new MemoryHub();
  const bus = hub.connect();
  const runtime = new FakeRuntime({ now: () => clock.now() });
  const sandbox = await runtime.runSandbox(sandboxConfig('u1'));
  const labels = { 'io.kubernetes.pod.uid': 'u1', 'io.kubernetes.container.name': 'main' };
  const id = await runtime.createContainer(sandbox, { ...containerConfig('u1'), labels });
  await runtime.startContainer(id);
  runtime.use(() => ({ cpuMillis: 250, memoryBytes: 1000 }));

  const life = new AbortController();
  const heard: NodeUsageReport[] = [];
  const listening = (async () => {
    for await (const { payload } of bus.subscribe(subject('usage', 'n1'), { signal: life.signal })) {
      heard.push(NodeUsageReport.decode(payload));
    }
  })();
  const reporter = new UsageReporter({
    nodeName: 'n1',
    runtime,
    machineUsage: async () => ({ cpuNanoseconds: BigInt(clock.now()) * 500_000n, memoryBytes: 7n }),
    bus,
    intervalMs: 10_000,
    clock,
    logger: createLogger({ name: 'test', level: 'silent' }),
  });
  await reporter.start(life.signal);
  const step = async () => {
    await waitFor(() => clock.pending > 0);
    await clock.advance(10_000);
  };
  await step();
  await waitFor(() => heard.length === 1);
  expect(heard[0]).toMatchObject({
    nodeName: 'n1',
    windowMs: 10_000n,
    node: { cpuNanocores: 500_000_000n, memoryBytes: 7n },
    pods: [{ uid: 'u1', containers: [{ name: 'main', usage: { cpuNanocores: 250_000_000n, memoryBytes: 1000n } }] }],
  });
  hub.stop();
  await step();
  hub.start();
  await waitFor(() => bus.connected);
  await step();
  await step();
  await waitFor(() => heard.length === 2);
  // Not a rate over the time of the outage.
  expect(heard[1]?.windowMs).toBe(10_000n);
  life.abort();
  await Promise.all([reporter.stop(), listening]);
  await bus.close();
});
