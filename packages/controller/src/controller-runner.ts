import type { Change, InformerSet } from '@navarch/client';
import {
  type BackoffOptions,
  type Clock,
  type Counter,
  type Histogram,
  type Logger,
  type Metrics,
  systemClock,
} from '@navarch/kit';
import { isApiError, type KubeObject } from '@navarch/machinery';
import type { Controller, Source } from './contracts.ts';
import type { Term } from './term.ts';
import { WorkQueue } from './work-queue.ts';

export interface ControllerRunnerOptions {
  readonly controller: Controller;
  readonly informers: RunnerInformers;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly metrics?: Metrics;
  /** Between failures of one key. */
  readonly backoff?: BackoffOptions;
}

/** What a runner needs of the caches. */
export type RunnerInformers = Pick<InformerSet, 'lister' | 'onChange' | 'revision' | 'reached'>;

/** What a runner needs of the term in office. */
export type RunnerTerm = Pick<Term, 'revision' | 'signal' | 'fence' | 'lose'>;

/** Runs one controller: turns changes into keys and keys into calls of `reconcile`. */
export class ControllerRunner {
  readonly #controller: Controller;
  readonly #informers: RunnerInformers;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #options: ControllerRunnerOptions;
  readonly #outcomes: Counter<'controller' | 'outcome'> | undefined;
  readonly #seconds: Histogram<'controller'> | undefined;
  #queue: WorkQueue | undefined;

  /** Before the informers start. */
  constructor(options: ControllerRunnerOptions) {
    this.#options = options;
    this.#controller = options.controller;
    this.#informers = options.informers;
    this.#logger = options.logger.child({ controller: options.controller.name });
    this.#clock = options.clock ?? systemClock;
    this.#outcomes = options.metrics?.counter({
      name: 'navarch_reconcile_total',
      help: 'Calls of reconcile by outcome.',
      labelNames: ['controller', 'outcome'],
    });
    this.#seconds = options.metrics?.histogram({
      name: 'navarch_reconcile_seconds',
      help: 'How long reconcile took.',
      labelNames: ['controller'],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    });
    for (const source of options.controller.sources) {
      this.#informers.onChange(source.kind, (change) => this.#changed(source, change));
    }
  }

  /** Works until the term is over. Begins with every key there is, once the caches show all that came before the term. */
  async run(term: RunnerTerm): Promise<void> {
    const { name, concurrency = 4 } = this.#controller;
    const { clock, metrics, backoff } = this.#options;
    const queue = new WorkQueue({
      name,
      clock: this.#clock,
      ...(metrics ? { metrics } : {}),
      ...(backoff ? { backoff } : {}),
      ...(clock ? { clock } : {}),
    });
    try {
      await this.#informers.reached(term.revision, term.signal);
      this.#queue = queue;
      this.#addEverything(queue);
      await Promise.all(Array.from({ length: concurrency }, () => this.#work(queue, term)));
    } catch (error) {
      if (!term.signal.aborted) throw error;
    } finally {
      if (this.#queue === queue) this.#queue = undefined;
      queue.clear();
    }
  }

  #changed(source: Source, change: Change<KubeObject>): void {
    if (!this.#queue) return;
    const states = change.type === 'modified' ? [change.object, change.previous] : [change.object];
    for (const key of new Set(states.flatMap((object) => source.keys(object)))) this.#queue.add(key);
  }

  #addEverything(queue: WorkQueue): void {
    for (const source of this.#controller.sources) {
      for (const object of this.#informers.lister<KubeObject>(source.kind).list()) {
        for (const key of source.keys(object)) queue.add(key);
      }
    }
  }

  async #work(queue: WorkQueue, term: RunnerTerm): Promise<void> {
    for (;;) {
      const key = await queue.take(term.signal).catch(() => undefined);
      if (key === undefined) return;
      const wrote = await this.#reconcile(queue, key, term);
      const done = () => {
        queue.done(key);
        if (queue.depth === 0 && queue.takeOverflow()) this.#addEverything(queue);
      };
      // The worker goes on with other keys while this one waits for the caches to show what was written for it.
      if (wrote > this.#informers.revision) void this.#shown(wrote, term.signal).finally(done);
      else done();
    }
  }

  /** Resolves to the revision that this call wrote, or 0n. */
  async #reconcile(queue: WorkQueue, key: string, term: RunnerTerm): Promise<bigint> {
    const startedMs = this.#clock.monotonicMs();
    try {
      const context = { fence: term.fence(), now: this.#clock.now(), signal: term.signal };
      const { wroteRevision = 0n, againAfterMs } = await this.#controller.reconcile(key, context);
      this.#count(startedMs, 'ok');
      queue.forget(key);
      if (againAfterMs !== undefined) queue.addAfter(key, againAfterMs);
      return wroteRevision;
    } catch (error) {
      const expected = isApiError(error, 'Conflict', 'Unavailable', 'Fenced', 'Cancelled');
      this.#count(startedMs, expected ? 'again' : 'error');
      if (isApiError(error, 'Fenced')) term.lose('the api refused a write in its name');
      if (term.signal.aborted) return 0n;
      const fields = { err: error, key, retryInMs: Math.round(queue.retry(key)) };
      if (expected) this.#logger.debug(fields, 'reconciling must be tried again');
      else this.#logger.error(fields, 'reconciling failed');
      return 0n;
    }
  }

  async #shown(revision: bigint, signal: AbortSignal): Promise<void> {
    try {
      await this.#informers.reached(revision, signal);
    } catch (error) {
      if (!signal.aborted)
        this.#logger.error({ err: error, revision: String(revision) }, 'the caches did not come up to a write');
    }
  }

  #count(startedMs: number, outcome: 'ok' | 'again' | 'error'): void {
    const controller = this.#controller.name;
    this.#outcomes?.inc({ controller, outcome });
    this.#seconds?.observe({ controller }, (this.#clock.monotonicMs() - startedMs) / 1000);
  }
}
