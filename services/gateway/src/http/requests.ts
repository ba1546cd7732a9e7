import { randomUUID } from 'node:crypto';
import { constants } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Logger } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import { anonymous, type Authenticator, type Credentials } from '../identity.ts';
import { readTarget, type Target } from '../routes/target.ts';
import type { Exchange, Handler, HttpRequest, HttpResponse } from './exchange.ts';
import { sendError } from './reply.ts';
import { badRequest, type StatusDetails, StatusError, statusOf } from './status.ts';

/** A request that is no watch and no stream is done within this time, or is told that it is not. */
const longestMs = 60_000;

export interface RequestsOptions {
  readonly authenticator: Authenticator;
  /** Answers requests, with all filters around it. */
  readonly handle: Handler;
  /** Takes over connections, with all filters around it. */
  readonly upgrade: (exchange: Exchange, socket: Duplex, head: Buffer) => Promise<void>;
  /** Aborts when the gateway stops. */
  readonly stopping: AbortSignal;
  readonly logger: Logger;
}

/** Makes exchanges of requests: who asks, for what, for how long; and an answer of whatever is thrown. */
export class Requests {
  readonly #options: RequestsOptions;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  readonly onRequest = (request: HttpRequest, response: HttpResponse): void => {
    void this.#answer(request, response);
  };

  readonly onUpgrade = (request: HttpRequest, socket: Duplex, head: Buffer): void => {
    void this.#upgrade(request, socket, head);
  };

  async #answer(request: HttpRequest, response: HttpResponse): Promise<void> {
    const { authenticator, handle, stopping } = this.#options;
    const gone = new AbortController();
    const leave = () => gone.abort(new ApiError('Cancelled', 'the client hung up'));
    response.once('close', leave);
    response.once('error', leave);
    const stop = () => gone.abort(new ApiError('Unavailable', 'the gateway is stopping', { retryAfterSeconds: 1 }));
    stopping.addEventListener('abort', stop);
    const late = setTimeout(
      () => gone.abort(new ApiError('Timeout', `the request was not done within ${longestMs / 1000} s`)),
      longestMs,
    );
    const exchange = newExchange(request, response, gone.signal, () => clearTimeout(late));
    response.setHeader('audit-id', exchange.id);
    try {
      if (stopping.aborted) response.setHeader('connection', 'close');
      checkTarget(exchange);
      exchange.identity = await authenticator.authenticate(credentialsOf(request, response));
      await handle(exchange);
    } catch (error) {
      await this.#fail(exchange, error);
    } finally {
      clearTimeout(late);
      stopping.removeEventListener('abort', stop);
      response.off('close', leave);
      if (stopping.aborted) endConnection(request, response);
    }
  }

  async #fail(exchange: Exchange, thrown: unknown): Promise<void> {
    const { request, response, signal } = exchange;
    // What broke because of the end is not the reason for it.
    const error = signal.aborted && signal.reason instanceof ApiError ? signal.reason : thrown;
    const status = statusOf(error);
    if (status.code >= 500 && status.reason === 'InternalError') {
      this.#options.logger.error({ err: error, path: exchange.target.path, id: exchange.id }, 'a request failed');
    }
    if (response.destroyed || response.writableEnded) return;
    if (response.headersSent) {
      // Half an answer must not look like a whole one.
      if (response.stream !== undefined) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      else response.destroy();
      return;
    }
    // What of the body was not read is read by nobody: HTTP/1.1 could not find the next request behind it.
    if (!request.complete && request.httpVersionMajor === 1) response.setHeader('connection', 'close');
    await sendError(exchange, error, aboutOf(exchange, status.reason));
  }

  async #upgrade(request: HttpRequest, socket: Duplex, head: Buffer): Promise<void> {
    const { authenticator, upgrade, stopping, logger } = this.#options;
    const gone = new AbortController();
    const leave = () => gone.abort(new ApiError('Cancelled', 'the client hung up'));
    socket.once('close', leave);
    socket.on('error', (error) => logger.debug({ err: error }, 'an upgraded connection broke'));
    const stop = () => gone.abort(new ApiError('Unavailable', 'the gateway is stopping'));
    stopping.addEventListener('abort', stop);
    // An upgrade has no response: what is refused is written by hand.
    const exchange = newExchange(request, undefined as unknown as HttpResponse, gone.signal, () => undefined);
    try {
      checkTarget(exchange);
      exchange.identity = await authenticator.authenticate(credentialsOf(request));
      await upgrade(exchange, socket, head);
    } catch (error) {
      refuseUpgrade(socket, error, aboutOf(exchange));
    } finally {
      stopping.removeEventListener('abort', stop);
      socket.off('close', leave);
    }
  }
}

/** Ends a connection of HTTP/1.1 after its answer; those of HTTP/2 were told to end when the server stopped. */
function endConnection({ httpVersionMajor, socket }: HttpRequest, response: HttpResponse): void {
  if (httpVersionMajor !== 1) return;
  if (response.writableFinished) socket.end();
  else response.once('finish', () => socket.end());
}

function newExchange(
  request: HttpRequest,
  response: HttpResponse,
  signal: AbortSignal,
  withoutDeadline: () => void,
): Exchange {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  const method = request.method ?? '';
  const target: Target = readTarget(method, path, query) ?? { type: 'path', verb: '', path };
  const warnings = new Set<string>();
  return { id: randomUUID(), request, response, query, target, identity: anonymous, signal, warnings, withoutDeadline };
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

function checkTarget({ request, target }: Exchange): void {
  if (!methods.has(request.method ?? '')) {
    throw new StatusError(405, 'MethodNotAllowed', `the server does not know the method ${request.method}`);
  }
  if (target.verb === '') throw badRequest('the path is not percent-encoded rightly');
}

/** The object, or the kind of objects, that a request is for. An apiserver says Pod of what is Invalid, and pods of all else. */
function aboutOf({ target, kindName }: Exchange, reason = ''): StatusDetails {
  if (target.type === 'path') return {};
  const { name, group, resource } = target;
  const kind = reason === 'Invalid' ? (kindName ?? resource) : resource;
  return { ...(name !== '' && { name }), ...(group !== '' && { group }), ...(kind !== '' && { kind }) };
}

type Peer = Pick<Credentials, 'peerCertificate' | 'peerIsTrusted'>;

/** `response` is undefined for an upgrade, which only HTTP/1.1 has. */
function credentialsOf(request: HttpRequest, response?: HttpResponse): Credentials {
  const socket = request.socket as TLSSocket; // the server speaks nothing but TLS
  // In HTTP/2 each request has a stand-in for the socket.
  const peer = peerOf(response?.stream?.session ?? socket, socket);
  return { headers: request.headers, ...peer, remoteAddress: socket.remoteAddress ?? '' };
}

/**
 * What the client showed when it connected, and whether it was good. Read once for a connection: that takes longer than most of
 * a request. Both at once, so that neither is ever held beside the other of a later handshake.
 */
function peerOf(connection: object, socket: TLSSocket): Peer {
  const known = peers.get(connection);
  if (known !== undefined) return known;
  const certificate = socket.getPeerCertificate();
  const hasOne = Object.keys(certificate ?? {}).length > 0;
  const peer = { peerCertificate: hasOne ? certificate : undefined, peerIsTrusted: socket.authorized };
  peers.set(connection, peer);
  return peer;
}

const peers = new WeakMap<object, Peer>();

function refuseUpgrade(socket: Duplex, error: unknown, about: StatusDetails): void {
  if (socket.destroyed || !socket.writable) return;
  const status = statusOf(error, about);
  const body = `${JSON.stringify(status)}\n`;
  const lines = [
    `HTTP/1.1 ${status.code} ${status.reason ?? 'Refused'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
