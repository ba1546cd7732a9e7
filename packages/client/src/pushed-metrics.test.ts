import { MemoryHub } from '@navarch/bus';
import { createLogger, VirtualClock } from '@navarch/kit';
import { PushedMetric, PushMetricsRequest } from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import { expect, test } from 'vitest';
import { PushedMetrics, pushedMetricsSubject } from './pushed-metrics.ts';

const logger = createLogger({ name: 'test', level: 'silent' });
const bus = new MemoryHub().connect();
const make = (clock: VirtualClock, mostSeries = 3) => new PushedMetrics({ bus, clock, logger, mostSeries });
const metric = (more: Partial<PushedMetric> = {}) =>
  PushedMetric.fromPartial({ namespace: 'default', name: 'length', value: '1', ...more });

test('the newest value of each series counts; name, object and labels tell series apart', () => {
  const metrics = make(new VirtualClock(), 10);
  const object = { kind: 'Pod', apiVersion: 'v1', name: 'web-1' };
  metrics.take(metric({ value: '1' }));
  metrics.take(metric({ value: '2' }));
  metrics.take(metric({ value: '3', labels: { queue: 'mail', at: 'north' } }));
  metrics.take(metric({ value: '4', labels: { at: 'north', queue: 'mail' } }));
  metrics.take(metric({ value: '5', object }));
  metrics.take(metric({ value: '6', namespace: 'other' }));
  expect(metrics.named('default', 'length').map(({ value }) => value)).toEqual(['2', '4', '5']);
  expect(metrics.all()).toHaveLength(4);
});

test('a value is forgotten when its time is over', async () => {
  const clock = new VirtualClock();
  const metrics = make(clock);
  metrics.take(metric());
  metrics.take(metric({ name: 'brief', ttlMs: 5_000n }));
  await clock.advance(5_000);
  expect(metrics.all().map(({ name }) => name)).toEqual(['length']);
  await clock.advance(55_000);
  expect(metrics.all()).toEqual([]);
});

test('there is room for so many series; what is over makes room', async () => {
  const clock = new VirtualClock();
  const metrics = make(clock);
  const names = ['a', 'b', 'c', 'd'];
  expect(names.map((name) => metrics.take(metric({ name })))).toEqual([true, true, true, false]);
  // A series that is known is no new one.
  expect(metrics.take(metric({ name: 'a', value: '9' }))).toBe(true);
  await clock.advance(60_000);
  expect(metrics.take(metric({ name: 'd' }))).toBe(true);
  expect(metrics.all().map(({ name }) => name)).toEqual(['d']);
});

test('hears what is published, and goes on after what can not be read', async () => {
  const metrics = make(new VirtualClock());
  const life = new AbortController();
  const listening = metrics.listen(life.signal);
  bus.publish(pushedMetricsSubject, new Uint8Array([255]));
  bus.publish(pushedMetricsSubject, PushMetricsRequest.encode({ metrics: [metric()] }).finish());
  await waitFor(() => metrics.all().length === 1);
  life.abort();
  await listening;
});
