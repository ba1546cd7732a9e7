import type { Metrics } from '@navarch/kit';
import type { QueueName, SchedulingQueue } from './queue.ts';

export type AttemptResult = 'scheduled' | 'unschedulable' | 'error';

const queueNames: readonly QueueName[] = ['active', 'backoff', 'unschedulable'];

/** What the scheduler tells Prometheus. */
export class SchedulerMetrics {
  readonly #attempts;
  readonly #decision;
  readonly #latency;
  readonly #binding;

  constructor(metrics: Metrics, queue: SchedulingQueue) {
    this.#attempts = metrics.counter({
      name: 'navarch_scheduler_attempts_total',
      help: 'Attempts to place a Pod.',
      labelNames: ['result'],
    });
    this.#decision = metrics.histogram({
      name: 'navarch_scheduler_decision_seconds',
      help: 'The time that one decision takes.',
      buckets: [0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1],
    });
    this.#latency = metrics.histogram({
      name: 'navarch_scheduler_latency_seconds',
      help: 'The time from when a Pod without a node was first seen until it was bound.',
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
    });
    this.#binding = metrics.histogram({
      name: 'navarch_scheduler_binding_seconds',
      help: 'The time that one call takes which binds a batch of Pods.',
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    });
    const depth = metrics.gauge({
      name: 'navarch_scheduler_pending_pods',
      help: 'Pods that wait for a node.',
      labelNames: ['queue'],
      collect: () => {
        for (const name of queueNames) depth.set({ queue: name }, queue.sizes[name]);
      },
    });
  }

  decided(ms: number): void {
    this.#decision.observe(ms / 1000);
  }

  attempted(result: AttemptResult, count = 1): void {
    this.#attempts.inc({ result }, count);
  }

  bound(waitedMs: number): void {
    this.#latency.observe(waitedMs / 1000);
  }

  bindingTook(ms: number): void {
    this.#binding.observe(ms / 1000);
  }
}
