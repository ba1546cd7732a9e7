import { once } from 'node:events';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Address, Component, Logger } from '@navarch/kit';
import type { TlsIdentity } from '../tls/serving-certificate.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';

export interface TlsServerOptions {
  readonly listen: Address;
  /** Asked when the server starts. */
  readonly tls: () => Promise<TlsIdentity>;
  readonly logger: Logger;
  /** Answers a request. Must not throw. */
  readonly onRequest: (request: HttpRequest, response: HttpResponse) => void;
  /** Takes over a connection that a client wants to turn into something else. Must not throw. */
  readonly onUpgrade: (request: HttpRequest, socket: Duplex, head: Buffer) => void;
  /** How long requests may go on once the server stops. */
  readonly stopGraceMs?: number;
}

const maxHeaderBytes = 64 * 1024;
/** What a connection of HTTP/2 may have under way: the usual 64 KiB are less than one large body. */
const connectionWindowBytes = 4 * 1024 * 1024;
/** What node:http2 hands on to node:http, which its types don't tell. */
const forHttp1 = { http1Options: { keepAliveTimeout: 90_000, maxHeaderSize: maxHeaderBytes } } as const;

function secureContext({ certificate, key, clientAuthority }: TlsIdentity) {
  return { cert: certificate, key, ca: clientAuthority, minVersion: 'TLSv1.2' } as const;
}

/** HTTP/1.1 and HTTP/2 over TLS on one port. */
export class TlsServer implements Component {
  readonly name = 'https';
  readonly #options: TlsServerOptions;
  readonly #sockets = new Set<TLSSocket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #server: Http2SecureServer | undefined;

  constructor(options: TlsServerOptions) {
    this.#options = options;
  }

  /** Where it listens. */
  get address(): Address {
    const address = this.#server?.address() as AddressInfo | undefined; // it listens on a port
    if (address === undefined) throw new Error('the HTTPS server has not been started');
    return { host: address.address, port: address.port };
  }

  async start(): Promise<void> {
    const { listen, logger, onRequest, onUpgrade } = this.#options;
    const server = createSecureServer({
      allowHTTP1: true,
      ...secureContext(await this.#options.tls()),
      // A certificate is asked for, and who shows none may have a token.
      requestCert: true,
      rejectUnauthorized: false,
      settings: { maxConcurrentStreams: 1000, maxHeaderListSize: maxHeaderBytes, initialWindowSize: 1024 * 1024 },
      maxSessionMemory: 64,
      ...forHttp1,
    });
    this.#server = server;
    // See HttpResponse.
    server.on('request', (request, response) =>
      onRequest(request as unknown as HttpRequest, response as unknown as HttpResponse),
    );
    server.on('upgrade', onUpgrade);
    server.on('secureConnection', (socket: TLSSocket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.setLocalWindowSize(connectionWindowBytes);
      session.once('close', () => this.#sessions.delete(session));
      session.on('error', (error) => logger.debug({ err: error }, 'an HTTP/2 connection broke'));
    });
    server.on('sessionError', (error) => logger.debug({ err: error }, 'an HTTP/2 connection broke'));
    server.on('tlsClientError', (error) => logger.debug({ err: error }, 'a TLS handshake failed'));
    server.listen({ host: listen.host, port: listen.port });
    await once(server, 'listening');
    server.on('error', (error) => logger.error({ err: error }, 'the HTTPS server failed'));
  }

  /** New connections are served with another certificate from now on. */
  renew(tls: TlsIdentity): void {
    this.#server?.setSecureContext(secureContext(tls));
  }

  /** No new connections; those that are open may end what they have begun. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    for (const session of this.#sessions) session.close();
    const late = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, this.#options.stopGraceMs ?? 5_000);
    // Connections of HTTP/1.1 that nobody uses now are not told from others here: handlers close theirs as they end.
    await closed;
    clearTimeout(late);
  }
}
