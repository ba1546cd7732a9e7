import { expect, test } from 'vitest';
import { delaysMs, type Moments, since } from './moments.ts';

const moments = (list: readonly (readonly [number, number])[]): Moments => ({
  revisions: Float64Array.from(list, ([revision]) => revision),
  atMs: Float64Array.from(list, ([, atMs]) => atMs),
});

test('each change of a batch counts once for each time the batch is heard', () => {
  const changes = moments([
    [11, 100],
    [11, 101],
    [13, 110],
    [14, 120],
  ]);
  const heard = moments([
    [13, 115],
    [14, 119],
    [13, 130],
  ]);
  const previous = new Map([
    [13, 10],
    [14, 13],
  ]);
  expect(since(changes, 105)).toEqual(
    moments([
      [13, 110],
      [14, 120],
    ]),
  );
  expect(delaysMs(changes, heard, previous)).toEqual([15, 14, 5, 0, 30, 29, 20]);
});
