import type { PortForward } from '@navarch/client';
import type { SpdyStream } from '@navarch/spdy';

/** How long the second stream of a connection may be behind the first. */
const pairMs = 30_000;

interface Pair {
  readonly error?: SpdyStream;
  readonly data?: SpdyStream;
  readonly late: NodeJS.Timeout;
}

/**
 * Connections as clients open them over SPDY: two streams with one request id, for data and for what went wrong.
 * Source: kubernetes staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/httpstream.go.
 */
export class StreamPairs {
  readonly #forward: PortForward;
  readonly #pairs = new Map<string, Pair>();

  constructor(forward: PortForward) {
    this.#forward = forward;
  }

  /** Throws for a stream that is neither; it is broken off then. */
  add(stream: SpdyStream): void {
    const type = stream.header('streamtype');
    const port = Number(stream.header('port'));
    if ((type !== 'error' && type !== 'data') || !Number.isInteger(port)) {
      throw new Error(`a stream of type "${type}" for port "${stream.header('port')}"`);
    }
    const id = stream.header('requestid') || String(type === 'error' ? stream.id : stream.id - 2);
    const known = this.#pairs.get(id) ?? { late: setTimeout(() => this.#drop(id), pairMs) };
    const pair: Pair = { ...known, [type]: stream };
    const { error, data, late } = pair;
    if (error === undefined || data === undefined) {
      this.#pairs.set(id, pair);
      stream.once('close', () => this.#pairs.get(id) === pair && this.#drop(id));
      return;
    }
    clearTimeout(late);
    this.#pairs.delete(id);
    void this.#carry(data, error, port);
  }

  async #carry(data: SpdyStream, error: SpdyStream, port: number): Promise<void> {
    error.resume();
    try {
      await this.#forward.carry(data, port);
      error.end();
    } catch (reason) {
      error.end((reason as Error).message);
    }
  }

  #drop(id: string): void {
    const { error, data, late } = this.#pairs.get(id) ?? {};
    this.#pairs.delete(id);
    clearTimeout(late);
    error?.destroy();
    data?.destroy();
  }
}
