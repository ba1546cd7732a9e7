import type { Address } from './address.ts';
import { type Component, Components } from './component.ts';
import { warnIfPublic } from './listen-warning.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { MetricsServer, type ReadinessCheck, type Remark } from './metrics-server.ts';

export interface ServiceOptions {
  readonly name: string;
  readonly components: readonly Component[];
  readonly logger: Logger;
  /** Serves /metrics, /healthz and /readyz from before the first component starts until after the last has stopped. */
  readonly metrics?: {
    readonly listen: Address;
    readonly metrics: Metrics;
    readonly checks?: readonly ReadinessCheck[];
    readonly remarks?: readonly Remark[];
  };
  /** How long each component may take to stop. Default 10 s. */
  readonly stopTimeoutMs?: number;
}

/**
 * A process' whole life, for `main.ts`: starts the components, waits for SIGTERM or SIGINT, stops them in reverse and
 * exits: 0 after a signal, 1 when a component doesn't start (one logged sentence says why) or when an error escaped. A
 * second signal exits at once. Ready means: every component has started, and every check passes.
 */
export async function runService(options: ServiceOptions): Promise<never> {
  const { name, logger, stopTimeoutMs } = options;
  const ended = new AbortController();
  let state: 'starting' | 'running' | 'stopping' = 'starting';
  const notRunning: ReadinessCheck = () => (state === 'running' ? undefined : `${name} is ${state}`);
  const { metrics } = options;
  const parts = metrics
    ? [
        new MetricsServer({ ...metrics, logger, checks: [notRunning, ...(metrics.checks ?? [])] }),
        ...options.components,
      ]
    : options.components;
  if (metrics) warnIfPublic(metrics.listen, logger);
  const whole = new Components({
    name,
    components: parts,
    logger,
    ...(stopTimeoutMs === undefined ? {} : { stopTimeoutMs }),
  });

  const stopRequested = new Promise<void>((resolve) => {
    const onSignal = (signal: NodeJS.Signals) => {
      if (ended.signal.aborted) {
        logger.warn({ signal }, 'second signal: exiting at once');
        process.exit(1);
      }
      logger.info({ signal }, 'stopping');
      ended.abort(new Error(`received ${signal}`));
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
  // An error that nobody caught leaves the process in a state nobody thought of: its successor starts from the truth.
  const onFatal = (error: unknown) => {
    logger.fatal({ err: error }, 'exiting after an error that nobody handled');
    process.exit(1);
  };
  process.on('unhandledRejection', onFatal);
  process.on('uncaughtException', onFatal);

  try {
    await whole.start(ended.signal);
  } catch (error) {
    if (ended.signal.aborted) process.exit(0);
    logger.fatal({ err: error }, error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
  state = 'running';
  logger.info(`${name} is running`);
  await stopRequested;
  state = 'stopping';
  await whole.stop();
  logger.info(`${name} has stopped`);
  process.exit(0);
}
