import type { ApiClient } from '@navarch/client';
import { customResourceDefinition, type KindDefinition, KindRegistry } from '@navarch/kinds';
import { Backoff, type Clock, type Component, type Logger, retry } from '@navarch/kit';
import type { CustomResourceDefinition } from '@navarch/proto';

/** Keeps the kinds those of the cluster, by watching the definitions of custom ones. */
export class KindWatch implements Component {
  readonly name = 'kinds';
  readonly kinds = new KindRegistry();
  readonly #client: Pick<ApiClient, 'watch'>;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #filled = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #isFilled = false;
  #byPath: { readonly of: readonly KindDefinition[]; readonly map: ReadonlyMap<string, KindDefinition> } | undefined;

  constructor(options: { client: Pick<ApiClient, 'watch'>; logger: Logger; clock: Clock }) {
    this.#client = options.client;
    this.#logger = options.logger;
    this.#clock = options.clock;
  }

  /** Resolves at once: whether all kinds are known is for `notReady` to say. */
  async start(signal: AbortSignal): Promise<void> {
    this.#running = this.#run(signal);
  }

  async stop(): Promise<void> {
    await this.#running;
  }

  /** Resolves once all kinds are known for the first time. */
  get filled(): Promise<void> {
    return this.#filled.promise;
  }

  readonly notReady = (): string | undefined =>
    this.#isFilled ? undefined : 'the kinds of the cluster are not known yet: is the api running?';

  /** The kind that a path names. */
  at(group: string, version: string, plural: string): KindDefinition | undefined {
    const { all } = this.kinds;
    if (this.#byPath?.of !== all) {
      const map = new Map(all.map((kind) => [`${kind.apiVersion}/${kind.plural}`, kind]));
      this.#byPath = { of: all, map };
    }
    return this.#byPath.map.get(`${group === '' ? '' : `${group}/`}${version}/${plural}`);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ baseMs: 100, maxMs: 5_000, jitter: 0.5 });
    try {
      while (!signal.aborted) {
        await retry((signal) => this.#watch(signal, backoff), {
          backoff,
          signal,
          clock: this.#clock,
          onError: (err: unknown, delayMs: number) =>
            this.#logger.warn({ err, delayMs }, 'watching the kinds of the cluster failed; trying again'),
        });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #watch(signal: AbortSignal, backoff: Backoff): Promise<void> {
    const beginning = new Map<string, CustomResourceDefinition>();
    let begun = false;
    for await (const { initial, events } of this.#client.watch(customResourceDefinition, { signal })) {
      backoff.reset();
      for (const { type, object } of events) {
        if (initial) beginning.set(object.metadata.name, object);
        else this.kinds.set(object.metadata.name, type === 'deleted' ? undefined : object);
      }
      if (initial || begun) continue;
      begun = true;
      this.kinds.reset(beginning);
      // What came with the end of the beginning is after it.
      for (const { type, object } of events)
        this.kinds.set(object.metadata.name, type === 'deleted' ? undefined : object);
      this.#isFilled = true;
      this.#filled.resolve();
    }
  }
}
