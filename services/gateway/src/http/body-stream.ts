import { once } from 'node:events';
import { createGzip, type Gzip } from 'node:zlib';
import type { Exchange, HttpResponse } from './exchange.ts';
import { acceptsGzip, answerHeaders, gzipHeaders, gzipOptions } from './reply.ts';

/**
 * A body that is sent piece by piece, only as fast as the client takes it. An error after the first piece can't be told any
 * more: the connection is broken off then, so that nobody takes a part for the whole.
 */
export class BodyStream {
  readonly #response: HttpResponse;
  readonly #signal: AbortSignal;
  readonly #gzip: Gzip | undefined;

  constructor(
    { request, response, signal, warnings }: Exchange,
    code: number,
    headers: Readonly<Record<string, string>>,
    { compress = true }: { compress?: boolean } = {},
  ) {
    this.#response = response;
    this.#signal = signal;
    const gzip = compress && acceptsGzip(request.headers);
    response.writeHead(code, answerHeaders(warnings, { ...headers, ...(gzip && gzipHeaders) }));
    // A watch of what does not change has begun all the same.
    response.flushHeaders();
    if (!gzip) return;
    this.#gzip = createGzip(gzipOptions);
    this.#gzip.pipe(response);
  }

  /** Resolves once there is room for more. Throws the signal's reason when the client is gone. */
  async write(bytes: Buffer): Promise<void> {
    this.#signal.throwIfAborted();
    const target = this.#gzip ?? this.#response;
    // Both kinds of response take bytes; their overloads have nothing else in common.
    if ((target as NodeJS.WritableStream).write(bytes)) return;
    await once(target, 'drain', { signal: this.#signal });
  }

  /** Sends what is left. */
  async end(): Promise<void> {
    if (this.#gzip === undefined) {
      this.#response.end();
      return;
    }
    const finished = once(this.#response, 'finish', { signal: this.#signal });
    this.#gzip.end();
    await finished;
  }
}
