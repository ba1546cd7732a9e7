import { createLogger, VirtualClock } from '@navarch/kit';
import type { ClientWrite, WriteOutcome } from '@navarch/client';
import type { Live } from '@navarch/machinery';
import { Condition, type Pod, PodStatus } from '@navarch/proto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aPod } from './pod.fixture.ts';
import { StatusReporter } from './status-reporter.ts';

const phases = ['Pending', 'Running', 'Failed'] as const;
type Phase = (typeof phases)[number];
const status = (phase: Phase) => PodStatus.fromPartial({ phase });

/** An api that holds one Pod, takes a write when told to, and whose changes reach the agent's cache when told to. */
class OnePodApi {
  readonly clock = new VirtualClock();
  readonly reporter: StatusReporter;
  /** What the agent's cache holds. */
  cached: Live<Pod> = aPod({}, { resourceVersion: '1' }, { phase: 'Pending' });
  #stored = this.cached;
  readonly #waiting: { readonly object: Live<Pod>; readonly settle: (outcome: WriteOutcome) => void }[] = [];

  constructor() {
    const submit = (_key: string, write: ClientWrite) => {
      const { promise, resolve } = Promise.withResolvers<WriteOutcome>();
      if (write.type !== 'updateStatus') throw new Error(`a reporter must not ${write.type}`);
      this.#waiting.push({ object: write.object as Live<Pod>, settle: resolve }); // it writes nothing but Pods
      return promise;
    };
    this.reporter = new StatusReporter({
      writer: { submit },
      clock: this.clock,
      logger: createLogger({ name: 'test', level: 'silent' }),
    });
  }

  get phase(): string {
    return this.#stored.status.phase;
  }

  get writesUnderWay(): number {
    return this.#waiting.length;
  }

  get disrupted(): boolean {
    return this.#stored.status.conditions.some(({ type }) => type === 'DisruptionTarget');
  }

  report(phase: Phase, passing = false): void {
    const { conditions } = this.reporter.withLastStatus(this.cached).status;
    this.reporter.report(this.cached, { ...status(phase), conditions }, passing);
  }

  /** Somebody else says why the Pod will end. */
  disrupt(): void {
    const { metadata, status: before } = this.#stored;
    const revision = BigInt(metadata.resourceVersion) + 1n;
    const conditions = [Condition.fromPartial({ type: 'DisruptionTarget', status: 'True' })];
    this.#stored = {
      ...this.#stored,
      metadata: { ...metadata, resourceVersion: String(revision) },
      status: { ...before, conditions },
    };
  }

  /** The write that is under way takes effect and is answered. */
  async answer(): Promise<void> {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    const { metadata } = this.#stored;
    if (next.object.metadata.resourceVersion !== metadata.resourceVersion) {
      next.settle({ ok: false, error: { reason: 'Conflict', message: 'somebody was faster', fields: [] } });
      await this.clock.advance(0);
      return;
    }
    const revision = BigInt(metadata.resourceVersion) + 1n;
    this.#stored = {
      ...this.#stored,
      metadata: { ...metadata, resourceVersion: String(revision) },
      status: next.object.status,
    };
    next.settle({ ok: true, revision, object: this.#stored });
    await this.clock.advance(0);
  }

  /** The cache sees what is stored. Whether the worker would look at its Pod again. */
  sync(): boolean {
    const before = this.cached;
    this.cached = this.#stored;
    return !this.reporter.isEcho(before, this.cached);
  }

  /** Lets time pass and answers until nothing is under way. */
  async rest(): Promise<void> {
    for (let i = 0; i < 20; i++) {
      await this.clock.advance(1_000);
      await this.answer();
    }
  }
}

describe('a StatusReporter', () => {
  test('writes on after a write that took the passing status with it', async () => {
    const api = new OnePodApi();
    api.report('Running'); // under way while the next is reported
    api.report('Failed', true);
    await api.answer(); // it goes on with the passing status at once …
    await api.answer();
    await api.clock.advance(1_000); // … so that its time comes when there is nothing left to write
    api.report('Running');
    await api.rest();
    expect(api.phase).toBe('Running');
  });

  test('writes what the cache still shows when something else was written meanwhile', async () => {
    const api = new OnePodApi();
    api.report('Running');
    await api.answer();
    api.report('Pending'); // as in the cache, which has not seen Running yet
    await api.rest();
    expect(api.phase).toBe('Pending');
  });

  test('holds a passing status back, and writes only what follows it', async () => {
    const api = new OnePodApi();
    api.report('Failed', true);
    expect(api.writesUnderWay).toBe(0);
    api.report('Running');
    expect(api.writesUnderWay).toBe(1);
    await api.rest();
    expect(api.phase).toBe('Running');
  });

  test('brings the api to what was reported last, whatever comes when', async () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant('report'), phase: fc.constantFrom(...phases), passing: fc.boolean() }),
      fc.record({ type: fc.constantFrom('answer', 'sync', 'passTime', 'disrupt') }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.constantFrom(...phases), async (steps, last) => {
        const api = new OnePodApi();
        for (const { type, ...reported } of steps) {
          if ('phase' in reported) api.report(reported.phase, reported.passing);
          else if (type === 'answer') await api.answer();
          else if (type === 'sync') api.sync();
          else if (type === 'disrupt') api.disrupt();
          else await api.clock.advance(300);
        }
        api.report(last);
        await api.rest();
        // The worker looks again, and reports again, when it sees a change that is not its own.
        for (let round = 0; round < 3; round++) {
          if (api.sync()) api.report(last);
          await api.rest();
        }
        expect(api.phase).toBe(last);
        expect(api.disrupted).toBe(steps.some(({ type }) => type === 'disrupt'));
      }),
      { numRuns: 300 },
    );
  });
});
