import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** `toServer`: what the client sends. `toClient`: what the server answers. */
export type Direction = 'toServer' | 'toClient';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

interface CutPoint {
  remainingBytes: number;
  readonly reached: () => void;
}

/**
 * A TCP forwarder on loopback that does to connections what networks do: cuts them, at once or after so many bytes,
 * goes silent without closing, or refuses. It forwards with back-pressure, so a slow reader stays visible to the sender.
 */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: { host: string; port: number };
  readonly #pairs = new Set<Pair>();
  readonly #cutPoints = new Map<Direction, CutPoint>();
  readonly #forwardedBytes: Record<Direction, number> = { toServer: 0, toClient: 0 };
  #held = false;
  #refusing = false;
  #accepted = 0;
  #refused = 0;

  private constructor(server: Server, target: { host: string; port: number }) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (client) => this.#accept(client));
  }

  /** Forwards a free port on 127.0.0.1 to `target` (`host:port`). */
  static async start(target: string): Promise<TcpProxy> {
    const [host = '', port = ''] = target.split(':');
    const server = createServer({ pauseOnConnect: true, noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, { host, port: Number(port) });
  }

  /** `127.0.0.1:port` to dial instead of the target. */
  get endpoint(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy is stopped');
    return `127.0.0.1:${address.port}`;
  }

  /** How many connections are open now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** How many connections were ever accepted, refused ones not counted. */
  get accepted(): number {
    return this.#accepted;
  }

  /** How many connections were ever refused. */
  get refused(): number {
    return this.#refused;
  }

  forwardedBytes(direction: Direction): number {
    return this.#forwardedBytes[direction];
  }

  /** Cuts every open connection with a reset. New ones are served as before. */
  cut(): void {
    for (const pair of this.#pairs) this.#close(pair);
  }

  /**
   * Cuts every connection once `bytes` more bytes have gone in `direction` (all connections counted together): exactly
   * that many arrive. Resolves when it has happened.
   */
  cutAfter(bytes: number, direction: Direction): Promise<void> {
    return new Promise((reached) => this.#cutPoints.set(direction, { remainingBytes: bytes, reached }));
  }

  /** Goes silent: connections stay open and new ones are accepted, but not a byte is forwarded until `resume`. */
  hold(): void {
    this.#held = true;
    for (const { client, server } of this.#pairs) {
      client.pause();
      server.pause();
    }
  }

  resume(): void {
    this.#held = false;
    for (const { client, server } of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  /** Cuts what is open and resets every new connection until `accept`. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  accept(): void {
    this.#refusing = false;
  }

  async stop(): Promise<void> {
    this.cut();
    if (!this.#server.listening) return;
    await new Promise((closed) => this.#server.close(closed));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #accept(client: Socket): void {
    // A reset peer is what this proxy is for; the other side learns of it by its own close.
    client.on('error', () => client.destroy());
    if (this.#refusing) {
      this.#refused++;
      client.resetAndDestroy();
      return;
    }
    this.#accepted++;
    const server = connect({ ...this.#target, noDelay: true });
    server.on('error', () => server.destroy());
    const pair = { client, server };
    this.#pairs.add(pair);
    this.#forward(pair, client, server, 'toServer');
    this.#forward(pair, server, client, 'toClient');
    if (this.#held) {
      client.pause();
      server.pause();
    }
  }

  #forward(pair: Pair, from: Socket, to: Socket, direction: Direction): void {
    from.on('data', (chunk: Buffer) => {
      const cutPoint = this.#cutPoints.get(direction);
      if (cutPoint && chunk.length >= cutPoint.remainingBytes) {
        this.#cutPoints.delete(direction);
        this.#forwardedBytes[direction] += cutPoint.remainingBytes;
        // A reset could overtake the last bytes, so that side gets an orderly end; the others are cut hard.
        to.end(chunk.subarray(0, cutPoint.remainingBytes));
        from.resetAndDestroy();
        this.#pairs.delete(pair);
        this.cut();
        cutPoint.reached();
        return;
      }
      if (cutPoint) cutPoint.remainingBytes -= chunk.length;
      this.#forwardedBytes[direction] += chunk.length;
      if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => {
          if (!this.#held) from.resume();
        });
      }
    });
    from.on('end', () => to.end());
    from.on('close', () => {
      this.#pairs.delete(pair);
      to.destroySoon();
    });
    if (!this.#held) from.resume();
  }

  #close(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.client.resetAndDestroy();
    pair.server.resetAndDestroy();
  }
}
