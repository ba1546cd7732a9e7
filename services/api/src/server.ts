import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import {
  type Address,
  type Component,
  formatAddress,
  grpcServerOptions,
  type Logger,
  warnIfPublic,
} from '@navarch/kit';
import { HealthImplementation } from 'grpc-health-check';
import type { CallMetrics } from './grpc/call-metrics.ts';
import { readableRequests } from './grpc/readable-requests.ts';
import { addReflection } from './grpc/reflection.ts';

/** An object of 1 MiB and a transaction of many fit; nothing that a writer may send is larger. */
const receiveLimitBytes = 8 * 1024 * 1024;
/** How long calls that are under way may take once the api is asked to stop. */
const drainMs = 5_000;

export interface GrpcService {
  readonly definition: ServiceDefinition;
  readonly handlers: UntypedServiceImplementation;
}

interface ServerOptions {
  readonly listen: Address;
  readonly services: readonly GrpcService[];
  readonly logger: Logger;
  readonly metrics: CallMetrics;
  /** Resolves once calls can be answered: health checks say NOT_SERVING until then. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  /** Ends what would go on for ever: watches and sessions. */
  readonly onStop: () => void;
}

/** The api's gRPC server: its services, health and reflection on one port. Drains when it stops. */
export class ApiServer implements Component {
  readonly name = 'grpc server';
  readonly #options: ServerOptions;
  readonly #server: Server;
  readonly #health = new HealthImplementation({ '': 'NOT_SERVING' });
  #port = 0;
  #becoming: Promise<void> = Promise.resolve();

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#server = new Server({
      ...grpcServerOptions,
      'grpc.max_receive_message_length': receiveLimitBytes,
      'grpc.max_concurrent_streams': 100_000,
    });
    for (const service of options.services) {
      const { definition, handlers } = readableRequests(service, options.metrics);
      this.#server.addService(definition, handlers);
    }
    this.#health.addToServer(this.#server);
    addReflection(this.#server);
  }

  /** Where it listens, once started: tells the port when that was 0. */
  get address(): Address {
    return { host: this.#options.listen.host, port: this.#port };
  }

  async start(signal: AbortSignal): Promise<void> {
    const { listen, logger, ready } = this.#options;
    warnIfPublic(listen, logger);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#server.bindAsync(formatAddress(listen), ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) return resolve(port);
      const taken = error.message.includes('EADDRINUSE');
      const why = taken ? 'the port is taken' : error.message;
      reject(
        new Error(`cannot listen on ${formatAddress(listen)}: ${why}; choose another with --listen`, { cause: error }),
      );
    });
    this.#port = await promise;
    logger.info({ address: formatAddress(this.address) }, 'serving gRPC');
    this.#becoming = ready(signal).then(
      () => this.#health.setStatus('', 'SERVING'),
      // It never became ready: the signal has come first.
      () => undefined,
    );
  }

  /** Refuses new calls, ends streams, waits a while for calls under way, and then ends these, too. */
  async stop(): Promise<void> {
    await this.#becoming;
    this.#health.setStatus('', 'NOT_SERVING');
    this.#options.onStop();
    const { promise, resolve } = Promise.withResolvers<void>();
    const late = setTimeout(() => this.#server.forceShutdown(), drainMs);
    this.#server.tryShutdown(() => resolve());
    await promise;
    clearTimeout(late);
  }
}
