import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';

/** Where a gateway is, and as whom it is asked. */
export interface GatewayAccess {
  readonly url: string;
  /** PEM. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** One connection of HTTP/2, as client-go has one. */
export function connectGateway({ url, authority, certificate, key }: GatewayAccess): ClientHttp2Session {
  const windowBytes = 4 * 1024 * 1024;
  const session = connect(url, { ca: authority, cert: certificate, key, settings: { initialWindowSize: windowBytes } });
  // As client-go's: node's own is 64 KiB for all streams together.
  session.once('connect', () => session.setLocalWindowSize(4 * windowBytes));
  return session;
}

/** Asks, and gives the answer once it begins. Throws for any code but 2xx. */
export async function ask(
  session: ClientHttp2Session,
  method: string,
  path: string,
  body?: Buffer,
): Promise<ClientHttp2Stream> {
  const type = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length };
  const stream = session.request(
    { ':method': method, ':path': path, accept: 'application/json', ...type },
    { endStream: body === undefined },
  );
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  stream.once('response', (headers) => resolve(headers[':status'] ?? 0));
  stream.once('error', reject);
  if (body !== undefined) stream.end(body);
  const code = await promise;
  if (code >= 200 && code < 300) return stream;
  throw new Error(`${method} ${path} answered ${code}: ${Buffer.concat(await stream.toArray()).toString('utf8')}`);
}

/** How often `text` stands in a stream of bytes; texts that two pieces share are seen, too. */
export class Counter {
  count = 0;
  readonly #text: Buffer;
  #rest: Buffer = Buffer.alloc(0);

  constructor(text: string) {
    this.#text = Buffer.from(text);
  }

  push(piece: Buffer): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let end = 0;
    for (let at = bytes.indexOf(this.#text); at >= 0; at = bytes.indexOf(this.#text, end)) {
      this.count++;
      end = at + this.#text.length;
    }
    // Not so much that the text could be seen twice.
    this.#rest = bytes.subarray(Math.max(end, bytes.length - this.#text.length + 1));
  }
}

/** The lines of a stream of bytes. */
export class Lines {
  readonly #take: (line: string) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  push(piece: Buffer): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      this.#take(bytes.toString('utf8', start, end));
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
  }
}
