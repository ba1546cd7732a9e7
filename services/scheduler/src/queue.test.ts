import { VirtualClock } from '@navarch/kit';
import { beforeEach, describe, expect, test } from 'vitest';
import { podInfo } from './objects.fixture.ts';
import { SchedulingQueue } from './queue.ts';

const fit = new Set(['NodeResourcesFit']);
const selector = new Set(['NodeSelector']);
const { signal } = new AbortController();
let clock: VirtualClock;
let queue: SchedulingQueue;
beforeEach(() => {
  clock = new VirtualClock();
  queue = new SchedulingQueue({ clock, random: () => 0 });
});
const take = (max = 10) => queue.take(max).map(({ info }) => info.pod.metadata.name);

describe('the queue', () => {
  test('gives Pods in the order in which they came, up to a limit, each once', async () => {
    for (const name of ['b', 'a', 'c']) queue.add(podInfo(name));
    queue.add(podInfo('a'));
    expect(take(2)).toEqual(['b', 'a']);
    expect(take(2)).toEqual(['c']);
    queue.add(podInfo('b'));
    expect(queue.sizes).toEqual({ active: 0, backoff: 0, unschedulable: 0 });
  });

  test('gives more important Pods first', () => {
    queue.add(podInfo('a'));
    queue.add(podInfo('b', { priority: 100 }));
    queue.add(podInfo('c', { priority: -5 }));
    queue.add(podInfo('d', { priority: 100 }));
    expect(take(3)).toEqual(['b', 'd', 'a']);
    expect(take()).toEqual(['c']);
  });

  test('waits for a Pod, or for the signal', async () => {
    const waiting = queue.waiting(signal);
    queue.add(podInfo('a'));
    await waiting;
    expect(take()).toEqual(['a']);
    const controller = new AbortController();
    const stopped = queue.waiting(controller.signal);
    controller.abort();
    await stopped;
    expect(take()).toEqual([]);
  });

  test('brings a failed one back after 1 s, then 2 s, and so on to 10 s', async () => {
    const pod = podInfo('a');
    queue.add(pod);
    for (const delayMs of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
      take();
      queue.failed(pod);
      await clock.advance(delayMs - 1);
      expect(queue.sizes).toMatchObject({ active: 0, backoff: 1 });
      await clock.advance(1);
      expect(queue.sizes).toMatchObject({ active: 1, backoff: 0 });
    }
  });

  test('keeps an unschedulable one until something happens that may help', async () => {
    const pod = podInfo('a');
    queue.add(pod);
    take();
    queue.unschedulable(pod, selector);
    await clock.advance(5_000);
    queue.happened('pod-left');
    queue.happened('node-grew');
    expect(queue.sizes).toMatchObject({ active: 0, unschedulable: 1 });
    queue.happened('node-labelled');
    expect(queue.sizes).toMatchObject({ active: 1, unschedulable: 0 });
  });

  test('lets one that was just tried wait for its back-off even if something helped', async () => {
    const pod = podInfo('a');
    queue.add(pod);
    take();
    queue.unschedulable(pod, fit);
    queue.happened('pod-left');
    expect(queue.sizes).toMatchObject({ active: 0, backoff: 1, unschedulable: 0 });
    await clock.advance(1_000);
    expect(queue.sizes).toMatchObject({ active: 1 });
  });

  test('does not miss what happened while a Pod was being decided on', () => {
    const pod = podInfo('a');
    queue.add(pod);
    take();
    queue.happened('pod-left');
    queue.unschedulable(pod, fit);
    expect(queue.sizes).toMatchObject({ backoff: 1, unschedulable: 0 });
  });

  test('is not woken by what happened before it was taken', async () => {
    queue.happened('pod-left');
    const pod = podInfo('a');
    queue.add(pod);
    take();
    queue.unschedulable(pod, fit);
    expect(queue.sizes).toMatchObject({ unschedulable: 1 });
  });

  test('tries an unschedulable one again after a minute', async () => {
    const pod = podInfo('a');
    queue.add(pod);
    take();
    queue.unschedulable(pod, fit);
    await clock.advance(60_000);
    expect(take()).toEqual(['a']);
  });

  test('forgets a Pod that needs no node any more, and what becomes of its attempt', async () => {
    const pod = podInfo('a');
    queue.add(pod);
    take();
    queue.remove(pod.key);
    queue.failed(pod);
    queue.unschedulable(pod, fit);
    await clock.advance(100_000);
    expect(queue.sizes).toEqual({ active: 0, backoff: 0, unschedulable: 0 });
    expect(clock.pending).toBe(0);
  });

  test('takes a new Pod of an old name for what it is', async () => {
    const old = podInfo('a');
    queue.add(old);
    take();
    queue.add(podInfo('a', { uid: 'another' }));
    queue.failed(old);
    expect(queue.sizes).toMatchObject({ active: 1, backoff: 0 });
  });

  test('keeps one that changed its status where it is', async () => {
    const pod = podInfo('a');
    queue.add(pod);
    take();
    queue.unschedulable(pod, fit);
    queue.add(podInfo('a'));
    expect(queue.sizes).toMatchObject({ unschedulable: 1 });
  });
});
