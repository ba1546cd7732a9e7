import { VirtualClock } from '@navarch/kit';
import { Container } from '@navarch/proto';
import { afterEach, describe, expect, test } from 'vitest';
import { FakeRuntime } from '../runtime/fake-runtime.ts';
import { longestAwaitMs } from './awaited-ports.ts';
import { Prober } from './prober.ts';

let end = new AbortController();
afterEach(() => {
  end.abort();
  end = new AbortController();
});

/** A prober for a container whose program opens the ports in `open`, which a test may change. */
function probe(
  ports: readonly { containerPort: number; protocol?: string }[],
  before = { started: true, ready: false },
) {
  const clock = new VirtualClock();
  const open = new Set<number>();
  const changes: boolean[] = [];
  const prober = new Prober({
    container: Container.fromPartial({ name: 'web', image: 'nginx', ports: [...ports] }),
    containerId: 'c1',
    ip: '10.244.0.2',
    runtime: Object.assign(new FakeRuntime(), { listening: async () => open }),
    startedAtMs: clock.now(),
    before,
    clock,
    signal: end.signal,
    onChange: () => changes.push(prober.health.ready),
    onFailure: () => {},
  });
  const running = prober.run();
  return { clock, open, changes, prober, running };
}

describe('a container without a readiness probe', () => {
  test('is ready once it listens on all of its TCP ports', async () => {
    const { clock, open, changes, prober } = probe([{ containerPort: 80 }, { containerPort: 443 }]);
    open.add(80);
    await clock.advance(1_000);
    expect(prober.health.ready).toBe(false);
    open.add(443);
    await clock.advance(200);
    expect(prober.health.ready).toBe(true);
    open.clear();
    await clock.advance(60_000);
    expect(changes, 'it stays ready').toEqual([true]);
  });

  test('is ready after a while even if it never listens', async () => {
    const { clock, prober } = probe([{ containerPort: 80 }]);
    await clock.advance(longestAwaitMs - 1);
    expect(prober.health.ready).toBe(false);
    await clock.advance(250);
    expect(prober.health.ready).toBe(true);
  });

  test.each([
    { name: 'has no ports', ports: [] },
    { name: 'has UDP ports only', ports: [{ containerPort: 53, protocol: 'UDP' }] },
  ])('is ready at once when it $name', ({ ports }) => {
    expect(probe(ports).prober.health.ready).toBe(true);
  });

  test('that was ready before its agent was started again stays so', () => {
    expect(probe([{ containerPort: 80 }], { started: true, ready: true }).prober.health.ready).toBe(true);
  });
});
