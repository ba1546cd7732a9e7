import { describe, expect, test } from 'vitest';
import { systemClock, VirtualClock } from './clock.ts';

describe.each([
  ['systemClock', () => ({ clock: systemClock, advance: async (ms: number) => systemClock.sleep(ms + 20) })],
  [
    'VirtualClock',
    () => {
      const clock = new VirtualClock();
      return { clock, advance: (ms: number) => clock.advance(ms) };
    },
  ],
])('%s', (_, make) => {
  test('fires timers in order, not those that were disposed', async () => {
    const { clock, advance } = make();
    const fired: string[] = [];
    clock.timer(40, () => fired.push('late'));
    clock.timer(5, () => fired.push('early'));
    clock.timer(20, () => fired.push('disposed'))[Symbol.dispose]();
    await advance(60);
    expect(fired).toEqual(['early', 'late']);
  });

  test('tells the time in whole milliseconds, also after a pause of a fraction', async () => {
    const { clock, advance } = make();
    await advance(0.7);
    expect(Number.isInteger(clock.now())).toBe(true);
  });

  test('sleeps, until the signal aborts', async () => {
    const { clock, advance } = make();
    const before = clock.monotonicMs();
    const slept = clock.sleep(10);
    await advance(10);
    await slept;
    expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(9);
    const abort = new AbortController();
    const interrupted = clock.sleep(60_000, abort.signal);
    abort.abort(new Error('enough'));
    await expect(interrupted).rejects.toThrow('enough');
    await expect(clock.sleep(60_000, abort.signal)).rejects.toThrow('enough');
  });
});

describe('VirtualClock', () => {
  test('takes a loop of sleeps through as many turns as real time would', async () => {
    const clock = new VirtualClock(1_000);
    const turns: number[] = [];
    void (async () => {
      for (;;) {
        await clock.sleep(100);
        turns.push(clock.now());
      }
    })();
    await clock.advance(350);
    expect(turns).toEqual([1100, 1200, 1300]);
    expect([clock.now(), clock.monotonicMs(), clock.pending]).toEqual([1350, 350, 1]);
  });
});
