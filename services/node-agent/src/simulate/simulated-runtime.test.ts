import { VirtualClock } from '@navarch/kit';
import { describe, expect, test } from 'vitest';
import { containerConfig, sandboxConfig } from '../runtime/runtime.fixture.ts';
import { type Behaviour, SimulatedRuntime } from './simulated-runtime.ts';

const usual: Behaviour = { startMs: 100, startSpread: 0.5, failures: 0 };

function machine(behaviour: Partial<Behaviour> = {}, seed = 1) {
  const clock = new VirtualClock();
  const runtime = new SimulatedRuntime({
    behaviour: { ...usual, ...behaviour },
    seed,
    podNetwork: '10.0.0',
    clock,
  });
  return { clock, runtime };
}

/** What so many containers take to start, one after another, and how many of them did. */
async function starts(count: number, { clock, runtime }: ReturnType<typeof machine>) {
  const tookMs: number[] = [];
  let failed = 0;
  for (let number = 0; number < count; number++) {
    const uid = `pod-${number}`;
    const begun = clock.monotonicMs();
    const done = (async () => {
      const sandboxId = await runtime.runSandbox(sandboxConfig(uid));
      const id = await runtime.createContainer(sandboxId, containerConfig(uid));
      await runtime.startContainer(id).catch(() => failed++);
      tookMs.push(clock.monotonicMs() - begun);
    })();
    while (tookMs.length === number) await clock.advance(1);
    await done;
  }
  return { tookMs, failed };
}

describe('a simulated machine', () => {
  test('takes the median time when nothing spreads: once for the sandbox, once for the container', async () => {
    const { tookMs } = await starts(3, machine({ startSpread: 0 }));
    expect(tookMs).toEqual([200, 200, 200]);
  });

  test('takes times that lie around twice the median, some short and some long', async () => {
    const { tookMs } = await starts(200, machine());
    const sorted = tookMs.toSorted((a, b) => a - b);
    expect(sorted[100]).toBeGreaterThan(170);
    expect(sorted[100]).toBeLessThan(260);
    expect(sorted[10]).toBeLessThan(150);
    expect(sorted[190]).toBeGreaterThan(330);
  });

  test('fails as often as it was told to, saying why', async () => {
    const subject = machine({ failures: 0.25, startMs: 1 });
    const { failed } = await starts(400, subject);
    expect(failed).toBeGreaterThan(70);
    expect(failed).toBeLessThan(130);
    const always = machine({ failures: 1, startMs: 0 });
    const id = await always.runtime.createContainer(
      await passing(always, always.runtime.runSandbox(sandboxConfig('x'))),
      containerConfig('x'),
    );
    await expect(passing(always, always.runtime.startContainer(id))).rejects.toThrow('the simulation lets');
  });

  test('does the same again with the same seed, and something else with another', async () => {
    const [first, again, other] = await Promise.all([
      starts(20, machine({ failures: 0.3 }, 7)),
      starts(20, machine({ failures: 0.3 }, 7)),
      starts(20, machine({ failures: 0.3 }, 8)),
    ]);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  test('uses a share of what its running containers request, and nothing once they are gone', async () => {
    const subject = machine({ startSpread: 0 });
    const { runtime, clock } = subject;
    const sandboxId = await passing(subject, runtime.runSandbox(sandboxConfig('busy')));
    const config = containerConfig('busy');
    const resources = { ...config.resources, cpuShares: 2048, memoryLimitBytes: 1_000_000 };
    const id = await runtime.createContainer(sandboxId, { ...config, resources });
    expect(await runtime.stats()).toEqual([]);
    await passing(subject, runtime.startContainer(id));
    await clock.advance(10_000);
    const [usage] = await runtime.stats();
    const cores = Number(usage?.cpuNanoseconds ?? 0n) / 10e9;
    expect(cores).toBeGreaterThanOrEqual(0.2);
    expect(cores).toBeLessThanOrEqual(1.8);
    expect(Number(usage?.memoryWorkingSetBytes)).toBeGreaterThanOrEqual(100_000);
    expect(Number(usage?.memoryWorkingSetBytes)).toBeLessThanOrEqual(900_000);
    await runtime.removeSandbox(sandboxId);
    expect(await runtime.stats()).toEqual([]);
  });
});

async function passing<T>({ clock }: ReturnType<typeof machine>, done: Promise<T>): Promise<T> {
  void clock.advance(1_000);
  return done;
}
