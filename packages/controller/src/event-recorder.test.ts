import type { Client } from '@navarch/client';
import { node, pod } from '@navarch/kinds';
import { createLogger, createMetrics, VirtualClock } from '@navarch/kit';
import { Event, Node, Pod } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { ApiEventRecorder } from './event-recorder.ts';
import { FakeApi } from './fake-api.fixture.ts';

const web = Pod.fromPartial({ metadata: { name: 'web', namespace: 'ns', uid: 'u1' } });

function setup(api = new FakeApi()) {
  const clock = new VirtualClock();
  const abort = new AbortController();
  const metrics = createMetrics('test', { process: false });
  const recorder = new ApiEventRecorder({
    client: api as unknown as Client, // the two calls that are used
    component: 'scheduler',
    clock,
    metrics,
    logger: createLogger({ name: 'test', level: 'silent' }),
  });
  void recorder.start(abort.signal);
  const stop = async () => {
    abort.abort();
    await recorder.stop();
  };
  // Only Events are ever written here.
  const events = () => [...api.objects.values()] as Event[];
  return { api, clock, recorder, metrics, stop, events };
}

describe('ApiEventRecorder', () => {
  test('sends what happens within 100 ms, together', async () => {
    const { api, clock, recorder, events, stop } = setup();
    recorder.event(pod, web, 'Normal', 'Scheduled', 'Assigned ns/web to n1');
    await clock.advance(30);
    recorder.event(node, Node.fromPartial({ metadata: { name: 'n1' } }), 'Warning', 'NotReady', 'no heartbeat');
    await clock.advance(70);
    expect(api.transactions).toHaveLength(1);
    expect(events()).toEqual([
      expect.objectContaining({
        metadata: expect.objectContaining({ name: expect.stringMatching(/^web\.[0-9a-f]{16}$/), namespace: 'ns' }),
        involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name: 'web', uid: 'u1', fieldPath: '' },
        reason: 'Scheduled',
        message: 'Assigned ns/web to n1',
        source: { component: 'scheduler', host: '' },
        type: 'Normal',
        count: 1,
        firstTimestamp: '2026-01-01T00:00:00.000Z',
      }),
      expect.objectContaining({ metadata: expect.objectContaining({ namespace: 'default' }), type: 'Warning' }),
    ]);
    await stop();
  });

  test('counts the same thing happening again, also across a restart', async () => {
    const { api, clock, recorder, events, stop } = setup();
    for (let i = 0; i < 3; i++) recorder.event(pod, web, 'Warning', 'BackOff', 'restarting');
    await clock.advance(1000);
    recorder.event(pod, web, 'Warning', 'BackOff', 'restarting');
    await clock.advance(1000);
    expect(events()).toMatchObject([
      { count: 4, firstTimestamp: '2026-01-01T00:00:00.000Z', lastTimestamp: '2026-01-01T00:00:01.000Z' },
    ]);
    await stop();
    const next = setup(api);
    next.recorder.event(pod, web, 'Warning', 'BackOff', 'restarting');
    await next.clock.advance(1000);
    expect(events()).toMatchObject([{ count: 5 }]);
    api.objects.clear(); // expired
    next.recorder.event(pod, web, 'Warning', 'BackOff', 'restarting');
    await next.clock.advance(1000);
    expect(events()).toMatchObject([{ count: 1 }]);
    await next.stop();
  });

  test('combines what is similar, also across a restart, and counts what it does not tell', async () => {
    const { api, clock, recorder, events, stop } = setup();
    const combined = () => events().filter(({ message }) => message.startsWith('(combined from similar events): '));
    for (let i = 0; i < 12; i++) recorder.event(pod, web, 'Warning', 'Failed', `attempt ${i}`);
    await clock.advance(1000);
    expect(events()).toHaveLength(10);
    expect(combined()).toMatchObject([{ message: '(combined from similar events): attempt 11', count: 3 }]);
    await stop();
    const next = setup(api);
    for (let i = 0; i < 10; i++) next.recorder.event(pod, web, 'Warning', 'Failed', `retry ${i}`);
    await next.clock.advance(1000);
    expect(combined()).toMatchObject([{ message: '(combined from similar events): retry 9', count: 4 }]);
    await next.stop();

    api.objects.clear();
    const often = setup(api);
    for (let i = 0; i < 30; i++) often.recorder.event(pod, web, 'Warning', 'BackOff', 'restarting');
    await often.clock.advance(1000);
    expect(events()).toMatchObject([{ count: 25 }]);
    expect(await often.metrics.registry.metrics()).toMatch(/events_dropped_total\{.*too many.*\} 5/);
    await often.clock.advance(300_000);
    often.recorder.event(pod, web, 'Warning', 'BackOff', 'restarting');
    await often.clock.advance(1000);
    expect(events()).toMatchObject([{ count: 31, firstTimestamp: '2026-01-01T00:00:00.000Z' }]);
    await often.stop();
  });

  test('keeps events while the api is down, up to a limit, and sends them in batches', async () => {
    const { api, clock, recorder, events, metrics, stop } = setup();
    api.down = true;
    const numbered = (i: number) => Pod.fromPartial({ metadata: { name: `pod-${i}`, namespace: 'ns' } });
    for (let i = 0; i < 1010; i++) {
      recorder.event(pod, numbered(i), 'Normal', 'Numbered', String(i));
      if (i === 5) await clock.advance(3000);
    }
    recorder.event(pod, numbered(500), 'Normal', 'Numbered', '500');
    api.down = false;
    await clock.advance(20_000);
    expect(events()).toHaveLength(1000);
    expect(events().find(({ message }) => message === '500')?.count).toBe(2);
    expect(Math.max(...api.transactions.map((writes) => writes.length))).toBe(100);
    expect(await metrics.registry.metrics()).toMatch(/events_dropped_total\{.*\} 10/);
    await stop();
  });

  test('sends the last words on stop, and cuts long messages and names', async () => {
    const { recorder, events, stop } = setup();
    const long = Pod.fromPartial({ metadata: { name: 'n'.repeat(253), namespace: 'ns' } });
    recorder.event(pod, long, 'Normal', 'Killing', 'x'.repeat(5000));
    await stop();
    const [event] = events();
    expect(event?.message).toHaveLength(1024);
    expect(event?.metadata?.name).toHaveLength(253);
  });
});
