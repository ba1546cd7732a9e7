import { createServer, type ServerResponse } from 'node:http';
import { type Address, formatAddress } from './address.ts';
import type { Component } from './component.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/** Undefined when ready, else the reason why not, as a sentence's end: `the cache of pods is not filled`. */
export type ReadinessCheck = () => string | undefined;

/** Undefined when there is nothing to say, else what somebody should know although the service is ready. */
export type Remark = () => string | undefined;

/**
 * HTTP: `/metrics`, `/healthz` (the process lives), `/readyz` (200 with a line for each remark, or 503 with a line for each
 * reason).
 */
export class MetricsServer implements Component {
  readonly name = 'metrics';
  readonly #options: {
    listen: Address;
    metrics: Metrics;
    logger: Logger;
    checks: readonly ReadinessCheck[];
    remarks: readonly Remark[];
  };
  readonly #server = createServer((request, response) => {
    this.#answer(request.url ?? '/', response).catch((error: unknown) => {
      this.#options.logger.error({ err: error, url: request.url }, 'could not answer a metrics request');
      response.destroy();
    });
  });

  constructor(options: {
    listen: Address;
    metrics: Metrics;
    logger: Logger;
    checks?: readonly ReadinessCheck[];
    remarks?: readonly Remark[];
  }) {
    this.#options = { checks: [], remarks: [], ...options };
  }

  /** Where it listens, once started: tells the port when that was 0. */
  get address(): Address {
    const bound = this.#server.address();
    return bound === null || typeof bound === 'string'
      ? this.#options.listen
      : { host: bound.address, port: bound.port };
  }

  async start(): Promise<void> {
    const { listen, logger } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen({ host: listen.host, port: listen.port }, resolve);
    try {
      await promise;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      const why = code === 'EADDRINUSE' ? 'the port is taken' : code;
      throw new Error(`cannot serve metrics on ${formatAddress(listen)}: ${why}; choose another with --metrics`, {
        cause: error,
      });
    }
    logger.debug({ address: formatAddress(this.address) }, 'metrics served');
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  async #answer(url: string, response: ServerResponse): Promise<void> {
    const path = url.split('?', 1)[0];
    if (path === '/healthz') return respond(response, 200, 'ok\n');
    if (path === '/readyz') {
      const said = (each: readonly (() => string | undefined)[]) =>
        each.map((say) => say()).filter((line) => line !== undefined);
      const reasons = said(this.#options.checks);
      const lines = reasons.length === 0 ? ['ok', ...said(this.#options.remarks)] : reasons;
      return respond(response, reasons.length === 0 ? 200 : 503, `${lines.join('\n')}\n`);
    }
    if (path !== '/metrics') return respond(response, 404, 'try /metrics, /healthz or /readyz\n');
    const { registry } = this.#options.metrics;
    return respond(response, 200, await registry.metrics(), registry.contentType);
  }
}

function respond(response: ServerResponse, code: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(code, { 'content-type': type }).end(body);
}
