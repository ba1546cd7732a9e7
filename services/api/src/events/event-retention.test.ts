import { expect, test } from 'vitest';
import { EventRetention } from './event-retention.ts';

test('what was written longest ago goes first, by size and by age', () => {
  const retention = new EventRetention({ maxAgeMs: 60_000, maxBytes: 100 });
  retention.add('a', 40, 1_000);
  retention.add('b', 40, 2_000);
  retention.add('a', 40, 3_000);
  expect(retention.overflow()).toEqual([]);
  retention.add('c', 50, 4_000);
  expect(retention.overflow()).toEqual(['b']);
  retention.delete('b');
  expect(retention.bytes).toBe(90);
  expect(retention.olderThan(4_000)).toEqual(['a']);
  expect(retention.olderThan(3_000)).toEqual([]);
});
