import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { ApiError } from '@navarch/machinery';

export interface ForwarderOptions {
  readonly nameServers: () => Promise<readonly string[]>;
  readonly port?: number;
  /** How long one name server may take. */
  readonly timeoutMs?: number;
  /** How many questions may wait at once. */
  readonly mostWaiting?: number;
}

/**
 * Hands questions on to the node's name servers, one after another until one answers. Equal questions that are asked at
 * the same time are asked once: so that a name server that, against all care, asks us in turn, waits for its own answer
 * and gives up, instead of going round and round.
 */
export class Forwarder {
  readonly #options: Required<ForwarderOptions>;
  readonly #waiting = new Map<string, Promise<Buffer>>();

  constructor(options: ForwarderOptions) {
    this.#options = { port: 53, timeoutMs: 2_000, mostWaiting: 512, ...options };
  }

  /**
   * The answer to `query`, with the query's own id. Throws ApiError('Unavailable') when no name server answers,
   * 'TooManyRequests' when too many questions wait.
   */
  async ask(query: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer> {
    // All but the id, which every asker chooses for itself.
    const key = `${transport} ${query.toString('latin1', 2)}`;
    let answer = this.#waiting.get(key);
    if (answer === undefined) {
      if (this.#waiting.size >= this.#options.mostWaiting) {
        throw new ApiError(
          'TooManyRequests',
          `${this.#waiting.size} questions already wait for the node's name servers`,
        );
      }
      answer = this.#askEach(query, transport).finally(() => this.#waiting.delete(key));
      this.#waiting.set(key, answer);
    }
    return withId(await answer, query.readUInt16BE(0));
  }

  async #askEach(query: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer> {
    const servers = await this.#options.nameServers();
    const { port, timeoutMs } = this.#options;
    // An id and a port of our own for each question, so that nobody can guess them and answer first.
    const own = withId(query, randomInt(0x10000));
    let cause: unknown;
    for (const server of servers) {
      try {
        return await (transport === 'udp' ? askByUdp : askByTcp)(own, server, port, timeoutMs);
      } catch (error) {
        cause = error;
      }
    }
    const why = servers.length === 0 ? 'the node has no name server' : 'none of the node’s name servers answers';
    throw new ApiError('Unavailable', why, { cause });
  }
}

function askByUdp(query: Buffer, server: string, port: number, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
    const end = (settle: () => void) => {
      clearTimeout(timer);
      socket.close();
      settle();
    };
    const timer = setTimeout(
      () => end(() => reject(new Error(`${server} did not answer in ${timeoutMs} ms`))),
      timeoutMs,
    );
    socket.on('error', (error) => end(() => reject(error)));
    socket.on('message', (answer) => {
      if (answers(answer, query)) end(() => resolve(answer));
    });
    // Connected, so that only this server's packets arrive, and its refusal is heard of at once.
    socket.connect(port, server, () => socket.send(query));
  });
}

function askByTcp(query: Buffer, server: string, port: number, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: server, port });
    const end = (settle: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const timer = setTimeout(
      () => end(() => reject(new Error(`${server} did not answer in ${timeoutMs} ms`))),
      timeoutMs,
    );
    let received = Buffer.alloc(0);
    socket.on('error', (error) => end(() => reject(error)));
    socket.on('end', () => end(() => reject(new Error(`${server} hung up`))));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const answer = received.subarray(2, 2 + received.readUInt16BE(0));
      end(() => (answers(answer, query) ? resolve(answer) : reject(new Error(`${server} answered something else`))));
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
  });
}

/** Whether it is an answer with our id. */
function answers(answer: Buffer, query: Buffer): boolean {
  return answer.length >= 12 && answer.readUInt16BE(0) === query.readUInt16BE(0) && (answer.readUInt8(2) & 0x80) !== 0;
}

function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}
