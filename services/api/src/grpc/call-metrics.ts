import { status } from '@grpc/grpc-js';
import type { Logger, Metrics } from '@navarch/kit';
import type { ApiError } from '@navarch/machinery';

/** Counts and times calls by method and status code, and logs those that failed through our own fault. */
export class CallMetrics {
  readonly #logger: Logger;
  readonly #calls;
  readonly #seconds;

  constructor(metrics: Metrics, logger: Logger) {
    this.#logger = logger;
    this.#calls = metrics.counter({
      name: 'navarch_api_requests_total',
      help: 'Calls that have ended, by method and gRPC status code.',
      labelNames: ['method', 'code'],
    });
    this.#seconds = metrics.histogram({
      name: 'navarch_api_request_seconds',
      help: 'How long calls took.',
      labelNames: ['method'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    });
  }

  /** Call the result when the call has ended. Streams are not timed: they last as long as somebody listens. */
  started(method: string, options: { timed?: boolean } = {}): (error?: ApiError) => void {
    const startedMs = performance.now();
    return (error) => {
      this.#calls.inc({ method, code: status[error?.code ?? status.OK] ?? 'UNKNOWN' });
      if (options.timed ?? true) this.#seconds.observe({ method }, (performance.now() - startedMs) / 1000);
      if (error?.reason === 'InternalError') this.#logger.error({ err: error, method }, 'a call failed');
    };
  }
}
