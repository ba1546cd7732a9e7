import type { Counter, Gauge, Histogram, Metrics } from '@navarch/kit';

/** What a work queue tells about itself, under the label `queue`. Without `metrics` it keeps silent. */
export class QueueMetrics {
  readonly #labels: { readonly queue: string };
  readonly #depth: Gauge<'queue'> | undefined;
  readonly #adds: Counter<'queue'> | undefined;
  readonly #retries: Counter<'queue'> | undefined;
  readonly #waiting: Histogram<'queue'> | undefined;
  readonly #working: Histogram<'queue'> | undefined;

  constructor(queue: string, metrics: Metrics | undefined) {
    this.#labels = { queue };
    const labelNames = ['queue'] as const;
    const buckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60];
    this.#depth = metrics?.gauge({ name: 'navarch_workqueue_depth', help: 'Keys ready to be worked on.', labelNames });
    this.#adds = metrics?.counter({ name: 'navarch_workqueue_adds_total', help: 'Keys added.', labelNames });
    this.#retries = metrics?.counter({
      name: 'navarch_workqueue_retries_total',
      help: 'Keys put back after a failure.',
      labelNames,
    });
    this.#waiting = metrics?.histogram({
      name: 'navarch_workqueue_wait_seconds',
      help: 'How long a ready key waited to be worked on.',
      labelNames,
      buckets,
    });
    this.#working = metrics?.histogram({
      name: 'navarch_workqueue_work_seconds',
      help: 'How long the work on a key took.',
      labelNames,
      buckets,
    });
  }

  depth(keys: number): void {
    this.#depth?.set(this.#labels, keys);
  }

  added(): void {
    this.#adds?.inc(this.#labels);
  }

  retried(): void {
    this.#retries?.inc(this.#labels);
  }

  taken(waitedMs: number): void {
    this.#waiting?.observe(this.#labels, waitedMs / 1000);
  }

  finished(workedMs: number): void {
    this.#working?.observe(this.#labels, workedMs / 1000);
  }
}
