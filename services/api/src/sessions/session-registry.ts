import { aborted, Backoff, type Clock, type Logger, retry } from '@navarch/kit';
import type { Store } from '@navarch/store';

/** Beside the objects: which api holds the session of which node. */
const prefix = '/navarch-sessions/';
const releaseMs = 1_000;

/**
 * Lets the api replicas find one another's sessions. It is in the store, not on the bus, so that it also works with the bus
 * stopped. An entry may outlive its replica: whoever dials that address then finds nobody.
 */
export class SessionRegistry {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #address: () => string;

  /** `address` is where other replicas reach this one. */
  constructor(options: { store: Store; clock: Clock; logger: Logger; address: () => string }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#address = options.address;
  }

  /** The address of another replica that holds the node's session. */
  async find(nodeName: string, signal: AbortSignal): Promise<string | undefined> {
    const entry = await this.#store.get(prefix + nodeName, { signal });
    const address = entry && Buffer.from(entry.value).toString('utf8');
    return address === this.#address() ? undefined : address;
  }

  /** The addresses of other replicas that hold sessions whose names begin with `start`, each once. */
  async findAll(start: string, signal: AbortSignal): Promise<readonly string[]> {
    const { entries } = await this.#store.list(prefix + start, { signal });
    const addresses = new Set(entries.map(({ value }) => Buffer.from(value).toString('utf8')));
    addresses.delete(this.#address());
    return [...addresses];
  }

  /** Says that this replica holds the node's session, until `signal` aborts. Never throws. */
  async hold(nodeName: string, signal: AbortSignal): Promise<void> {
    try {
      const revision = await retry((signal) => this.#claim(nodeName, signal), {
        backoff: new Backoff({ baseMs: 100, maxMs: 5_000 }),
        signal,
        clock: this.#clock,
        onError: (err) => this.#logger.debug({ err, node: nodeName }, 'a session could not be registered yet'),
      });
      await aborted(signal);
      await this.#release(nodeName, revision);
    } catch (err) {
      // Either the session ended first, or the entry stays behind, which does no harm.
      if (!signal.aborted) this.#logger.warn({ err, node: nodeName }, 'a session could not be registered');
    }
  }

  /** The session is here now, whatever was said before. */
  async #claim(nodeName: string, signal: AbortSignal): Promise<bigint> {
    const key = prefix + nodeName;
    const value = Buffer.from(this.#address(), 'utf8');
    for (;;) {
      const modRevision = (await this.#store.get(key, { signal }))?.modRevision ?? 0n;
      const compare = [{ key, modRevision }];
      const result = await this.#store.commit({ compare, ops: [{ type: 'put', key, value }] }, signal);
      if (result.committed) return result.revision;
    }
  }

  async #release(nodeName: string, modRevision: bigint): Promise<void> {
    const key = prefix + nodeName;
    const compare = [{ key, modRevision }];
    await this.#store.commit({ compare, ops: [{ type: 'delete', key }] }, AbortSignal.timeout(releaseMs));
  }
}
