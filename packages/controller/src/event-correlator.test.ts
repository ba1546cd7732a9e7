import { Event } from '@navarch/proto';
import { expect, test } from 'vitest';
import { EventCorrelator } from './event-correlator.ts';

const minuteMs = 60_000;
const event = (message: string, more: { name?: string; reason?: string; type?: string; component?: string } = {}) => {
  const { name = 'web', reason = 'Failed', type = 'Warning', component = 'agent' } = more;
  return Event.fromPartial({ involvedObject: { kind: 'Pod', name }, source: { component }, reason, type, message });
};

test('from the tenth different message on, similar events are one', () => {
  const correlator = new EventCorrelator();
  const combined = (from: number, to: number, atMs = 0) =>
    Array.from({ length: to - from }, (_, i) => correlator.take(event(`${from + i}`), atMs).combined);
  expect(combined(0, 9)).toEqual(Array(9).fill(false));
  // The same message again is not a new one.
  expect(correlator.take(event('8'), 0).combined).toBe(false);
  expect(combined(9, 15)).toEqual(Array(6).fill(true));
  // Another reason, type, object or reporter is another matter.
  for (const other of [{ reason: 'Killing' }, { type: 'Normal' }, { name: 'api' }, { component: 'scheduler' }]) {
    expect(correlator.take(event('x', other), 0).combined).toBe(false);
  }
  expect(combined(15, 16, 10 * minuteMs)).toEqual([true]);
  // Ten quiet minutes end it.
  expect(combined(16, 17, 20 * minuteMs + 1)).toEqual([false]);
});

test('an object gets 25 at once from a reporter, and then one in five minutes', () => {
  const correlator = new EventCorrelator();
  const told = (count: number, atMs: number) =>
    Array.from({ length: count }, () => correlator.take(event('again'), atMs)).filter((each) => each.told).length;
  expect(told(30, 0)).toBe(25);
  expect(correlator.take(event('again', { name: 'api' }), 0).told).toBe(true);
  expect(told(10, 5 * minuteMs - 1)).toBe(0);
  expect(told(10, 5 * minuteMs)).toBe(1);
  expect(told(10, 15 * minuteMs)).toBe(2);
  expect(told(100, 1_000 * minuteMs)).toBe(25);
});
