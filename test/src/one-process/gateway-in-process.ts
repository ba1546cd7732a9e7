import { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { Api } from '@navarch/api';
import { MemoryHub } from '@navarch/bus';
import { Connection, createClient } from '@navarch/client';
import { anonymous, Gateway, type GatewayOptions, ServingCertificate } from '@navarch/gateway';
import { createLogger, createMetrics, formatAddress, systemClock } from '@navarch/kit';
import { MemoryStore } from '@navarch/store';

/** An answer, read to its end. */
export interface Answer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body, parsed. */
  // oxlint-disable-next-line typescript/no-explicit-any -- what it is, each test says
  readonly json: any;
}

export interface Asked {
  /** A certificate and its key, PEM, on a connection of its own. */
  readonly client?: { readonly cert: string; readonly key: string };
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | object;
}

type Options = Partial<GatewayOptions> | ((connection: Connection) => Partial<GatewayOptions>);

/** A gateway and an api in this process, on an in-memory store, with real HTTPS and gRPC on loopback. */
export class GatewayInProcess implements AsyncDisposable {
  readonly #stops: (() => Promise<unknown> | void)[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  #port = 0;
  #connection: Connection | undefined;
  #authority = '';

  /** The connection is the gateway's own. */
  static async start(options: Options = {}): Promise<GatewayInProcess> {
    const running = new GatewayInProcess();
    await running.#start(options);
    return running;
  }

  async #start(options: Options): Promise<void> {
    const logger = createLogger({
      name: 'gateway',
      level: process.env['NAVARCH_TEST_LOG'] === undefined ? 'silent' : 'debug',
    });
    this.#stops.push(() => this.#agent.destroy());
    const stop = new AbortController();
    const bus = new MemoryHub().connect();
    const api = new Api({
      store: new MemoryStore(),
      bus,
      clock: systemClock,
      logger,
      metrics: createMetrics('api', { process: false }),
      listen: { host: '127.0.0.1', port: 0 },
      version: '0.0.0',
      serviceCidr: { text: '10.96.0.0/16', address: '10.96.0.0', prefixLength: 16, family: 4 },
    });
    await api.start(stop.signal);
    this.#stops.push(() => api.stop());
    await api.ready(AbortSignal.timeout(20_000));
    const address = formatAddress(api.address);
    const client = createClient({ address, logger });
    const connection = new Connection({ address, logger, clock: systemClock });
    this.#connection = connection;
    this.#stops.push(() => {
      client.close();
      connection.close();
    });
    const names = ['localhost', '127.0.0.1'];
    const certificate = new ServingCertificate({
      connection,
      names,
      clock: systemClock,
      logger,
      onRenewed: () => undefined,
    });
    const gateway = new Gateway({
      listen: { host: '127.0.0.1', port: 0 },
      tls: async () => certificate.current,
      client,
      connection,
      authenticator: { authenticate: async () => anonymous },
      identityMetadata: () => undefined,
      filters: [],
      subresources: () => [],
      virtual: () => [],
      version: '0.0.0',
      clock: systemClock,
      logger,
      random: () => 0,
      ...(typeof options === 'function' ? options(connection) : options),
    });
    for (const component of [certificate, ...gateway.components]) {
      await component.start(stop.signal);
      this.#stops.push(async () => component.stop?.());
    }
    this.#stops.push(() => stop.abort());
    this.#port = gateway.address.port;
    this.#authority = certificate.current.clientAuthority;
  }

  /** The gateway's own way to the api, without an identity. */
  get connection(): Connection {
    if (this.#connection === undefined) throw new Error('the gateway has not been started');
    return this.#connection;
  }

  /** The port on loopback. */
  get port(): number {
    return this.#port;
  }

  /** What the gateway's certificate is checked by. */
  get authority(): string {
    return this.#authority;
  }

  async ask(method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const response = await this.open(method, path, asked);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const body = (response.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8');
    const isJson = response.headers['content-type']?.startsWith('application/json') === true;
    const code = response.statusCode ?? 0;
    return { code, headers: response.headers, body, json: isJson && body !== '' ? JSON.parse(body) : undefined };
  }

  /** The answer as it begins. */
  open(method: string, path: string, { headers = {}, body, client }: Asked = {}): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const isPlain = typeof body === 'string' || Buffer.isBuffer(body);
    const bytes = body === undefined || isPlain ? body : JSON.stringify(body);
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const call = request(
      {
        host: '127.0.0.1',
        port: this.#port,
        ca: this.#authority,
        ...(client === undefined ? { agent: this.#agent } : { agent: false, ...client }),
        method,
        path,
        headers: { ...type, ...(bytes !== undefined && { 'content-length': Buffer.byteLength(bytes) }), ...headers },
      },
      resolve,
    );
    call.on('error', reject);
    call.end(bytes);
    return promise;
  }

  /** The events of a watch, until `signal` ends it or the gateway does. */
  async *watch(
    path: string,
    asked: Asked = {},
    signal?: AbortSignal,
  ): AsyncGenerator<{ type: string; object: Answer['json'] }, void, void> {
    const response = await this.open('GET', path, asked);
    if (response.statusCode !== 200)
      throw new Error(`${path} answered ${response.statusCode}: ${await text(response)}`);
    signal?.addEventListener('abort', () => response.destroy());
    for await (const line of createInterface({ input: response })) yield JSON.parse(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops.splice(0).toReversed()) await stop();
  }
}
