import type { Change } from '@navarch/client';
import { configMap, type KindDefinition, pod } from '@navarch/kinds';
import { createLogger, createMetrics, VirtualClock } from '@navarch/kit';
import { ApiError, type KubeObject, keyOf, type Live } from '@navarch/machinery';
import { Lease, Pod } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { type Controller, type ReconcileContext, type ReconcileResult, source } from './contracts.ts';
import { ControllerRunner, type RunnerInformers } from './controller-runner.ts';
import { Term } from './term.ts';

const logger = createLogger({ name: 'test', level: 'silent' });

/** Caches that a test moves by hand. */
class HandMoved {
  revision = 0n;
  readonly objects = new Map<string, KubeObject>();
  readonly #handlers: ((change: Change<KubeObject>) => void)[] = [];
  readonly #waiting = new Set<{ revision: bigint; resolve: () => void }>();

  asInformers(): RunnerInformers {
    return this as unknown as RunnerInformers; // it knows one kind only
  }

  lister(kind: KindDefinition) {
    return { list: () => (kind.kind === 'Pod' ? [...this.objects.values()] : []) };
  }

  onChange(kind: KindDefinition, handler: (change: Change<KubeObject>) => void): void {
    if (kind.kind === 'Pod') this.#handlers.push(handler);
  }

  reached(revision: bigint, signal: AbortSignal): Promise<void> {
    if (revision <= this.revision) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.add({ revision, resolve });
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  }

  set(name: string, labels: Record<string, string> = {}): void {
    const object = Pod.fromPartial({ metadata: { name, namespace: 'ns', labels } }) as Live<Pod>;
    const previous = this.objects.get(keyOf(object)) as Live<Pod> | undefined;
    this.objects.set(keyOf(object), object);
    const change: Change<KubeObject> = previous ? { type: 'modified', object, previous } : { type: 'added', object };
    for (const handler of this.#handlers) handler(change);
  }

  moveTo(revision: bigint): void {
    this.revision = revision;
    for (const waiter of this.#waiting) if (waiter.revision <= revision) waiter.resolve();
  }
}

function setup(
  reconcile: (key: string, context: ReconcileContext) => Promise<ReconcileResult>,
  more: Partial<Controller> = {},
) {
  const clock = new VirtualClock();
  const informers = new HandMoved();
  const metrics = createMetrics('test', { process: false });
  const controller: Controller = {
    name: 'test',
    sources: [
      source(pod, (object) => [keyOf(object), ...Object.values(object.metadata?.labels ?? {})]),
      source(configMap, () => []),
    ],
    reconcile,
    ...more,
  };
  const runner = new ControllerRunner({
    controller,
    informers: informers.asInformers(),
    logger,
    clock,
    metrics,
    backoff: { baseMs: 100, maxMs: 1000, jitter: 0 },
  });
  const lease = Lease.fromPartial({
    metadata: { name: 'work', namespace: 'navarch-system', resourceVersion: '5' },
    spec: { holderIdentity: 'me', leaseTransitions: 3 },
  }) as Live<Lease>;
  const term = new Term({ lease, sentMs: 0, identity: 'me', deadlineMs: 1e9, clock });
  const count = async (outcome: string) =>
    (await metrics.counter({ name: 'navarch_reconcile_total', help: '' }).get()).values.find(
      ({ labels }) => (labels as Record<string, unknown>)['outcome'] === outcome,
    )?.value;
  return { clock, informers, runner, term, count };
}

describe('ControllerRunner', () => {
  test('begins with everything, once the caches show what came before the term', async () => {
    const seen: [string, ReconcileContext][] = [];
    const { informers, runner, term, clock } = setup(async (key, context) => {
      seen.push([key, context]);
      return {};
    });
    informers.set('a');
    informers.moveTo(4n);
    const ended = runner.run(term);
    informers.set('b');
    await clock.advance(0);
    expect(seen).toEqual([]);
    informers.moveTo(5n);
    await clock.advance(0);
    expect(seen.map(([key]) => key)).toEqual(['ns/a', 'ns/b']);
    expect(seen[0]?.[1]).toMatchObject({ now: clock.now(), fence: { holderIdentity: 'me', transitions: 3 } });
    term.end('done');
    await ended;
  });

  test('asks both the old and the new state of a change for keys', async () => {
    const seen: string[] = [];
    const { informers, runner, term, clock } = setup(async (key) => {
      seen.push(key);
      return {};
    });
    informers.moveTo(5n);
    informers.set('a', { owner: 'x' });
    const ended = runner.run(term);
    await clock.advance(0);
    seen.length = 0;
    informers.set('a', { owner: 'y' });
    await clock.advance(0);
    expect(seen.toSorted()).toEqual(['ns/a', 'x', 'y']);
    term.end('done');
    await ended;
  });

  test('never reconciles a key twice at once, but others beside it', async () => {
    const open = new Map<string, () => void>();
    const started: string[] = [];
    const { informers, runner, term, clock } = setup((key) => {
      started.push(key);
      return new Promise((resolve) => open.set(key, () => resolve({})));
    });
    informers.moveTo(5n);
    const ended = runner.run(term);
    await clock.advance(0);
    informers.set('a');
    informers.set('b');
    await clock.advance(0);
    informers.set('a');
    await clock.advance(0);
    expect(started).toEqual(['ns/a', 'ns/b']);
    open.get('ns/a')?.();
    await clock.advance(0);
    expect(started).toEqual(['ns/a', 'ns/b', 'ns/a']);
    term.end('done');
    for (const end of open.values()) end();
    await ended;
  });

  test('keeps a key back until the caches show what was written for it, while the worker goes on', async () => {
    const seen: string[] = [];
    const { informers, runner, term, clock } = setup(
      async (key) => {
        seen.push(key);
        return key === 'ns/a' && seen.length === 1 ? { wroteRevision: 9n } : {};
      },
      { concurrency: 1 },
    );
    informers.moveTo(5n);
    const ended = runner.run(term);
    await clock.advance(0);
    informers.set('a');
    informers.set('b');
    await clock.advance(0);
    informers.set('a');
    informers.moveTo(8n);
    await clock.advance(60_000);
    expect(seen).toEqual(['ns/a', 'ns/b']);
    informers.moveTo(9n);
    await clock.advance(0);
    expect(seen).toEqual(['ns/a', 'ns/b', 'ns/a']);
    term.end('done');
    await ended;
  });

  test('backs off after errors, counts them, and looks again when asked', async () => {
    const times: number[] = [];
    const errors = [new Error('bug'), new ApiError('Conflict', 'stale'), new Error('bug')];
    const { informers, runner, term, clock, count } = setup(async () => {
      times.push(clock.monotonicMs());
      const error = errors.shift();
      if (error) throw error;
      return times.length === 4 ? { againAfterMs: 5000 } : {};
    });
    informers.moveTo(5n);
    const ended = runner.run(term);
    await clock.advance(0);
    informers.set('a');
    await clock.advance(20_000);
    expect(times).toEqual([0, 100, 300, 700, 5700]);
    expect([await count('ok'), await count('error'), await count('again')]).toEqual([2, 2, 1]);
    term.end('done');
    await ended;
  });

  test('ends with the term, after the work at hand; a refused fence ends the term', async () => {
    const hand = Promise.withResolvers<ReconcileResult>();
    const { informers, runner, term, clock } = setup(() => hand.promise);
    informers.moveTo(5n);
    let over = false;
    const ended = runner.run(term).then(() => (over = true));
    await clock.advance(0);
    informers.set('a');
    await clock.advance(0);
    hand.reject(new ApiError('Fenced', 'somebody else leads'));
    await ended;
    expect(over).toBe(true);
    expect(term.signal.aborted).toBe(true);
    informers.set('b');
    expect(clock.pending).toBe(0);
  });
});
