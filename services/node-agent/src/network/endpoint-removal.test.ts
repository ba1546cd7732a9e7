import { abortable, VirtualClock } from '@navarch/kit';
import type { Live } from '@navarch/machinery';
import { EndpointSlice, Pod } from '@navarch/proto';
import { expect, test } from 'vitest';
import { endpointRemoved } from './endpoint-removal.ts';

const pod = Pod.fromPartial({
  metadata: { name: 'old', namespace: 'default', uid: 'old', deletionTimestamp: '2026-01-01T00:00:00Z' },
  spec: {},
  status: { podIp: '10.244.0.5' },
}) as Live<Pod>;
const slice = (...endpoints: { uid: string; conditions: object }[]) =>
  EndpointSlice.fromPartial({
    metadata: { name: 'web-1' },
    endpoints: endpoints.map(({ uid, conditions }) => ({
      addresses: ['10.244.0.5'],
      conditions,
      targetRef: { kind: 'Pod', uid },
    })),
  }) as Live<EndpointSlice>;
const staying = { uid: 'old', conditions: { ready: true, serving: true, terminating: false } };
const ending = { uid: 'old', conditions: { ready: false, serving: true, terminating: true } };

/** A wait for the end of `pod`, in a world that the test changes. */
class Waiting {
  readonly clock = new VirtualClock();
  #slices: readonly Live<EndpointSlice>[];
  #changed = Promise.withResolvers<void>();
  readonly #applied = Promise.withResolvers<void>();
  readonly abort = new AbortController();
  outcome: string | undefined;

  constructor(slices: readonly Live<EndpointSlice>[], { leadsTo = false } = {}) {
    this.#slices = slices;
    const view = {
      changed: () => this.#changed.promise,
      slices: () => this.#slices,
      leadsTo: () => leadsTo,
      applied: (within: AbortSignal) => abortable(this.#applied.promise, within),
    };
    const times = { longestMs: 10_000, settleMs: 150, clock: this.clock };
    void endpointRemoved(pod, view, times, this.abort.signal).then(
      (outcome) => (this.outcome = outcome),
      (error: unknown) => (this.outcome = String(error)),
    );
  }

  /** Lets time pass, and gives what has come of the wait. */
  async after(ms: number): Promise<string | undefined> {
    await this.clock.advance(ms);
    return this.outcome;
  }

  show(...slices: readonly Live<EndpointSlice>[]): void {
    this.#slices = slices;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  apply(): void {
    this.#applied.resolve();
  }
}

test.each([
  { name: 'nobody names', slices: [] },
  { name: 'shares its address with one that is named', slices: [slice({ ...staying, uid: 'other' })] },
])('a Pod that $name ends at once', async ({ slices }) => {
  expect(await new Waiting(slices).after(0)).toBe('removed');
});

test('a Pod waits while a slice counts on it, however slow whoever writes slices is', async () => {
  const wait = new Waiting([slice(staying)]);
  expect(await wait.after(4_000)).toBeUndefined();
  wait.show(slice(staying, { ...staying, uid: 'new' }));
  expect(await wait.after(4_000)).toBeUndefined();
  wait.show(slice(ending, { ...staying, uid: 'new' }));
  expect(await wait.after(1_000)).toBeUndefined(); // not before the rules follow
  wait.apply();
  expect(await wait.after(149)).toBeUndefined();
  expect(await wait.after(1)).toBe('removed');
});

test.each([
  { name: 'it is the last one', conditions: ending.conditions },
  { name: 'its Service publishes Pods that are not ready', conditions: { ...ending.conditions, ready: true } },
])('a Pod whose end the slices know of does not wait for another to take its place: $name', async ({ conditions }) => {
  const wait = new Waiting([slice({ uid: 'old', conditions })]);
  wait.apply();
  expect(await wait.after(150)).toBe('removed');
});

test('a Pod that only a port of its node leads to waits for the rules', async () => {
  const wait = new Waiting([], { leadsTo: true });
  expect(await wait.after(1_000)).toBeUndefined();
  wait.apply();
  expect(await wait.after(150)).toBe('removed');
});

test('a wait ends in any case', async () => {
  const wait = new Waiting([slice(staying)]);
  expect(await wait.after(9_999)).toBeUndefined();
  expect(await wait.after(1)).toBe('late');
  const unapplied = new Waiting([slice(ending)]);
  expect(await unapplied.after(10_000)).toBe('late');
});

test('a wait is broken off by its signal', async () => {
  const wait = new Waiting([slice(staying)]);
  wait.abort.abort(new Error('asked to go sooner'));
  expect(await wait.after(0)).toBe('Error: asked to go sooner');
});
