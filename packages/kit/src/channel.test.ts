import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BoundedQueue } from './channel.ts';

const read = async <T>(queue: BoundedQueue<T>) => {
  const values: T[] = [];
  for await (const value of queue) values.push(value);
  return values;
};

describe('BoundedQueue', () => {
  test('gives what was pushed, in order, to a reader that came early or late', async () => {
    const queue = new BoundedQueue<number>({ capacity: 10, overflow: 'error' });
    queue.push(1);
    const values = read(queue);
    queue.push(2);
    await Promise.resolve();
    queue.push(3);
    queue.close();
    expect(queue.push(4)).toBe(false);
    expect(await values).toEqual([1, 2, 3]);
  });

  test.each([
    { overflow: 'drop-oldest' as const, pushed: [true, true, false, false], values: [3, 4], dropped: 2 },
    { overflow: 'reject' as const, pushed: [true, true, false, false], values: [1, 2], dropped: 2 },
  ])('$overflow', async ({ overflow, pushed, values, dropped }) => {
    const queue = new BoundedQueue<number>({ capacity: 2, overflow });
    expect([1, 2, 3, 4].map((value) => queue.push(value))).toEqual(pushed);
    expect([queue.takeDropped(), queue.takeDropped()]).toEqual([dropped, 0]);
    expect(queue.takeAll()).toEqual(values);
    queue.close();
    expect(await read(queue)).toEqual([]);
  });

  test('error: gives what waits, then the error', async () => {
    const queue = new BoundedQueue<number>({ capacity: 2, overflow: 'error', what: 'watch of pods' });
    for (const value of [1, 2, 3]) queue.push(value);
    expect(queue.take()).toBe(1);
    expect(queue.push(9)).toBe(false);
    expect(queue.take()).toBe(2);
    await expect(read(queue)).rejects.toThrow('watch of pods: the reader fell more than 2 behind');
  });

  test('ends with the signal, forgetting what waits, and with the reader', async () => {
    const abort = new AbortController();
    const queue = new BoundedQueue<number>({ capacity: 5, overflow: 'error', signal: abort.signal });
    queue.push(1);
    abort.abort();
    expect(await read(queue)).toEqual([]);
    const left = new BoundedQueue<number>({ capacity: 5, overflow: 'error' });
    left.push(1);
    left.push(2);
    for await (const _ of left) break;
    expect([left.closed, left.push(3), left.size]).toEqual([true, false, 0]);
  });

  test('is a queue', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(), fc.constant('take' as const)), { maxLength: 5000 }), (steps) => {
        const queue = new BoundedQueue<number>({ capacity: 2000, overflow: 'drop-oldest' });
        let model: number[] = [];
        const taken: [number | undefined, number | undefined][] = [];
        for (const step of steps) {
          if (step === 'take') taken.push([queue.take(), model.shift()]);
          else {
            queue.push(step);
            model = [...model, step].slice(-2000);
          }
        }
        for (const [actual, expected] of taken) expect(actual).toBe(expected);
        expect(queue.size).toBe(model.length);
        expect(queue.takeAll()).toEqual(model);
      }),
      { numRuns: 30 },
    );
  });

  test('gives its memory back under a long run', () => {
    const queue = new BoundedQueue<number>({ capacity: 10, overflow: 'error' });
    queue.push(0);
    for (let i = 1; i < 100_000; i++) {
      queue.push(i);
      expect(queue.take()).toBe(i - 1);
    }
  });
});
