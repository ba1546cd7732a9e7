import { abortable, Backoff, type Logger, systemClock, withDeadline, withoutCredentials } from '@navarch/kit';
import { connect, Events, type NatsConnection } from 'nats';
import { busDown } from './bus-errors.ts';

/** One open connection; `lost` aborts when it ends. */
export interface OpenConnection {
  readonly nats: NatsConnection;
  readonly lost: AbortSignal;
}

export interface NatsLinkOptions {
  readonly servers: readonly string[];
  readonly name: string;
  readonly logger: Logger;
  /** Puts every subscription in force on a new connection, before it counts as connected. */
  readonly prepare: (nats: NatsConnection) => void;
  readonly onStatus: (connected: boolean) => void;
}

const dialTimeoutMs = 2_000;
const slowestRetryMs = 2_000;
/** A connection that lived this long was a good one. */
const steadyMs = 5_000;

/**
 * Keeps one connection to NATS open for as long as it lives. The client's own reconnecting is off: it would send, after
 * an outage, what was published during it, and it knows nothing of a server that is down at the start. One way to connect,
 * first or again, is also the only one that has to work.
 */
export class NatsLink {
  readonly #options: NatsLinkOptions;
  readonly #closed = new AbortController();
  readonly #done: Promise<void>;
  #current: OpenConnection | undefined;

  constructor(options: NatsLinkOptions) {
    this.#options = options;
    this.#done = this.#run(this.#closed.signal);
  }

  get current(): OpenConnection | undefined {
    return this.#current;
  }

  async close(): Promise<void> {
    this.#closed.abort(busDown());
    await this.#done;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { logger, servers } = this.#options;
    const backoff = new Backoff({ baseMs: 100, maxMs: slowestRetryMs, jitter: 0.5 });
    while (!signal.aborted) {
      const startedMs = systemClock.monotonicMs();
      try {
        await this.#connectOnce(signal);
      } catch (error) {
        if (signal.aborted) return;
        // A server that accepts and hangs up at once is as bad as one that refuses; one that was fine may be back soon.
        if (systemClock.monotonicMs() - startedMs > steadyMs) backoff.reset();
        const fields = { err: error, servers: servers.map(withoutCredentials) };
        if (backoff.failures === 0) logger.warn(fields, 'no connection to NATS; going on without it and trying again');
        else logger.debug(fields, 'still no connection to NATS');
        await systemClock.sleep(backoff.next(), signal).catch(() => {});
      }
    }
  }

  /** One connection's whole life. Throws when there is none, or when it is lost. */
  async #connectOnce(signal: AbortSignal): Promise<void> {
    const { logger, prepare, onStatus } = this.#options;
    const nats = await this.#dial(signal);
    const lost = new AbortController();
    const ended = nats.closed().then((error) => lost.abort(busDown(error)));
    void this.#logProblems(nats);
    try {
      prepare(nats);
      await withDeadline(abortable(nats.flush(), lost.signal), dialTimeoutMs, 'NATS did not answer a ping');
      this.#current = { nats, lost: lost.signal };
      logger.info({ server: nats.getServer() }, 'connected to NATS');
      onStatus(true);
      await abortable(ended, signal);
      throw lost.signal.reason;
    } finally {
      const was = this.#current;
      this.#current = undefined;
      // What was published before a close is still sent.
      if (was && !lost.signal.aborted) await withDeadline(nats.flush(), 500, 'late').catch(() => {});
      await nats.close();
      if (was) onStatus(false);
    }
  }

  async #dial(signal: AbortSignal): Promise<NatsConnection> {
    const { servers, name } = this.#options;
    const credentials = credentialsOf(servers);
    const dialled = connect({
      servers: servers.map(withoutCredentials),
      name,
      ...credentials,
      timeout: dialTimeoutMs,
      reconnect: false,
      pingInterval: 5_000,
      maxPingOut: 2,
      noAsyncTraces: true,
    });
    try {
      return await abortable(dialled, signal);
    } catch (error) {
      // When we no longer want the connection that may still come.
      dialled.then(
        (nats) => nats.close(),
        () => {},
      );
      throw error;
    }
  }

  /** What the server complains about, such as a missing permission. */
  async #logProblems(nats: NatsConnection): Promise<void> {
    for await (const { type, data } of nats.status()) {
      if (type === Events.Error) this.#options.logger.error({ problem: data }, 'NATS reports an error');
    }
  }
}

/** The user and password of the first server that names them: the client library does not take them from a URL. */
function credentialsOf(servers: readonly string[]): { user?: string; pass?: string } {
  for (const server of servers) {
    if (!URL.canParse(server)) continue;
    const { username, password } = new URL(server);
    if (username !== '') return { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  }
  return {};
}
