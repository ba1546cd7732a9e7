import { createMetrics, VirtualClock } from '@navarch/kit';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WorkQueue } from './work-queue.ts';

const never = new AbortController().signal;
const make = (more = {}) => {
  const clock = new VirtualClock();
  const queue = new WorkQueue({ name: 'test', clock, backoff: { baseMs: 10, maxMs: 100, jitter: 0 }, ...more });
  return { clock, queue };
};

describe('WorkQueue', () => {
  test('hands keys out in order, each once', async () => {
    const { queue } = make();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect(queue.depth).toBe(3);
    expect([await queue.take(never), await queue.take(never), await queue.take(never)]).toEqual(['a', 'b', 'c']);
    expect(queue.depth).toBe(0);
  });

  test('makes a taker wait, and wakes one for each key', async () => {
    const { queue } = make();
    const taken: string[] = [];
    const takers = [1, 2].map(async () => taken.push(await queue.take(never)));
    queue.add('a');
    queue.add('b');
    await Promise.all(takers);
    expect(taken).toEqual(['a', 'b']);
  });

  test('holds a key that is being worked on back until that is done', async () => {
    const { queue } = make();
    queue.add('a');
    await queue.take(never);
    queue.add('a');
    queue.add('a');
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(queue.depth).toBe(1);
    await queue.take(never);
    queue.done('a');
    expect(queue.depth).toBe(0);
  });

  test('adds after a delay, the shortest of several; an add ends it', async () => {
    const { queue, clock } = make();
    queue.addAfter('a', 100);
    queue.addAfter('a', 50);
    queue.addAfter('a', 70);
    await clock.advance(49);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
    queue.addAfter('b', 50);
    queue.add('b');
    queue.done(await queue.take(never));
    queue.done(await queue.take(never));
    await clock.advance(1000);
    expect(queue.depth).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('a delay that ends during the work has it done again', async () => {
    const { queue, clock } = make();
    queue.add('a');
    await queue.take(never);
    queue.addAfter('a', 10);
    await clock.advance(10);
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(queue.depth).toBe(1);
  });

  test('backs off per key until the key is forgotten', () => {
    const { queue } = make();
    expect(Array.from({ length: 6 }, () => queue.retry('a'))).toEqual([10, 20, 40, 80, 100, 100]);
    expect(queue.retry('b')).toBe(10);
    queue.forget('a');
    expect(queue.retry('a')).toBe(10);
  });

  test('retries together with what changes meanwhile, once', async () => {
    const { queue, clock } = make();
    queue.add('a');
    await queue.take(never);
    queue.retry('a');
    queue.done('a');
    await clock.advance(9);
    expect(queue.depth).toBe(0);
    queue.add('a');
    expect(queue.depth).toBe(1);
    await clock.advance(100);
    queue.done(await queue.take(never));
    expect(queue.depth).toBe(0);
  });

  test('gives up waiting with the signal, and loses no key by that', async () => {
    const { queue } = make();
    const abort = new AbortController();
    const given = queue.take(abort.signal);
    const other = queue.take(never);
    queue.add('a');
    abort.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    expect(await other).toBe('a');
  });

  test('is bounded, and says that it refused keys', async () => {
    const { queue } = make({ capacity: 3 });
    queue.add('a');
    queue.addAfter('b', 10);
    await queue.take(never);
    queue.addAfter('a', 20);
    queue.add('c');
    expect(queue.takeOverflow()).toBe(false);
    queue.add('d');
    queue.addAfter('e', 5);
    expect(queue.size).toBe(3);
    expect(queue.takeOverflow()).toBe(true);
    expect(queue.takeOverflow()).toBe(false);
    queue.add('b');
    expect(queue.depth).toBe(2);
  });

  test('measures depth, waiting and work', async () => {
    const metrics = createMetrics('test', { process: false });
    const { queue, clock } = make({ metrics });
    queue.add('a');
    queue.add('b');
    await clock.advance(3000);
    await queue.take(never);
    await clock.advance(500);
    queue.done('a');
    const text = await metrics.registry.metrics();
    expect(text).toContain('navarch_workqueue_depth{queue="test",service="test"} 1');
    expect(text).toContain('navarch_workqueue_adds_total{queue="test",service="test"} 2');
    expect(text).toContain('navarch_workqueue_wait_seconds_sum{service="test",queue="test"} 3');
    expect(text).toContain('navarch_workqueue_work_seconds_sum{service="test",queue="test"} 0.5');
  });

  test('never loses an add and never works on a key twice at once', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), key: fc.nat(3) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('addAfter' as const), key: fc.nat(3), ms: fc.nat(30) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('retry' as const), key: fc.nat(3) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('done' as const), key: fc.nat(3) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(20) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { queue, clock } = make();
        const working = new Set<string>();
        const owed = new Set<string>();
        const take = async () => {
          const key = await queue.take(never);
          expect(working.has(key)).toBe(false);
          working.add(key);
          owed.delete(key);
        };
        for (const next of steps) {
          const key = 'key' in next ? String(next.key) : '';
          if (next.do !== 'take' && next.do !== 'done' && next.do !== 'advance') owed.add(key);
          if (next.do === 'add') queue.add(key);
          else if (next.do === 'addAfter') queue.addAfter(key, next.ms);
          else if (next.do === 'retry') queue.retry(key);
          else if (next.do === 'take' && queue.depth > 0) await take();
          else if (next.do === 'done' && working.delete(key)) queue.done(key);
          else if (next.do === 'advance') await clock.advance(next.ms);
        }
        for (const key of working) queue.done(key);
        working.clear();
        await clock.advance(200);
        while (queue.depth > 0) await take();
        expect([...owed]).toEqual([]);
      }),
    );
  });
});
