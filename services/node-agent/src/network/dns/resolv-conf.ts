import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';

/** The name servers that a resolv.conf names, in order, without `own`: asking ourselves would never end. */
export function nameServers(resolvConf: string, own: readonly string[]): readonly string[] {
  return resolvConf
    .split('\n')
    .flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])
    .filter((server) => isIP(server) !== 0 && !own.includes(server))
    .slice(0, 3);
}

/** The node's own name servers, read again at most every `maxAgeMs`: a node changes networks. */
export class NodeNameServers {
  readonly #file: string;
  readonly #own: readonly string[];
  readonly #now: () => number;
  readonly #maxAgeMs: number;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #servers: Promise<readonly string[]> = Promise.resolve([]);

  constructor(options: { file?: string; own: readonly string[]; monotonicMs: () => number; maxAgeMs?: number }) {
    this.#file = options.file ?? '/etc/resolv.conf';
    this.#own = options.own;
    this.#now = options.monotonicMs;
    this.#maxAgeMs = options.maxAgeMs ?? 5_000;
  }

  /** Empty when the node has none. */
  current(): Promise<readonly string[]> {
    if (this.#now() - this.#readAtMs > this.#maxAgeMs) {
      this.#readAtMs = this.#now();
      // A node without the file has no name servers; that is an answer, not a failure.
      this.#servers = readFile(this.#file, 'utf8').then(
        (text) => nameServers(text, this.#own),
        () => [],
      );
    }
    return this.#servers;
  }
}
