import { abortable, Backoff, type Component, type Logger, retry } from '@navarch/kit';
import { isApiError } from '@navarch/machinery';
import { Namespace } from '@navarch/proto';
import type { Store } from '@navarch/store';
import { defaultAccessWrites } from './access/default-writes.ts';
import { createWrite } from './pipeline/create.ts';
import { incoming } from './pipeline/incoming.ts';
import type { Pipeline } from './pipeline/pipeline.ts';
import { systemNamespaces } from './pipeline/system-namespaces.ts';
import { uidFrom } from './pipeline/uid.ts';

/** Not an object: outside the prefix that the watch cache reads. */
const clusterIdKey = '/navarch-cluster/id';

interface BootstrapOptions {
  readonly store: Store;
  readonly pipeline: Pipeline;
  readonly logger: Logger;
}

/**
 * What has to be there before anybody can use the cluster: its id, the namespaces it needs itself, and the roles that everybody
 * knows. Made in the background, as soon as the store lets it.
 */
export class Bootstrap implements Component {
  readonly name = 'bootstrap';
  readonly #options: BootstrapOptions;
  readonly #done = Promise.withResolvers<void>();
  #running: Promise<void> = Promise.resolve();
  #clusterId = '';
  #ready = false;

  constructor(options: BootstrapOptions) {
    this.#options = options;
  }

  /** Whether everything is there. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Resolves when everything is there; rejects with the signal's reason. */
  async done(signal: AbortSignal): Promise<void> {
    await abortable(this.#done.promise, signal);
  }

  /** Made once with the store; '' until it is known. */
  get clusterId(): string {
    return this.#clusterId;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#running = retry(
      async (signal) => {
        this.#clusterId = await this.#readOrMakeId(signal);
        for (const name of systemNamespaces) await this.#makeNamespace(name, signal);
        await this.#makeAccess(signal);
        this.#ready = true;
        this.#done.resolve();
      },
      {
        backoff: new Backoff({ baseMs: 200, maxMs: 5_000 }),
        signal,
        onError: (err, delayMs) => this.#options.logger.warn({ err, delayMs }, 'the cluster can not be set up yet'),
      },
    ).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  async stop(): Promise<void> {
    await this.#running;
  }

  async #readOrMakeId(signal: AbortSignal): Promise<string> {
    const { store } = this.#options;
    for (;;) {
      const entry = await store.get(clusterIdKey, { signal });
      if (entry !== undefined) return Buffer.from(entry.value).toString('utf8');
      const value = Buffer.from(uidFrom(Math.random), 'utf8');
      await store.commit(
        { compare: [{ key: clusterIdKey, modRevision: 0n }], ops: [{ type: 'put', key: clusterIdKey, value }] },
        signal,
      );
    }
  }

  async #makeAccess(signal: AbortSignal): Promise<void> {
    const options = { fence: undefined, dryRun: false, program: 'api', signal };
    const writes = defaultAccessWrites().map((write) => () => write);
    for (const outcome of await this.#options.pipeline.writeEach(writes, options)) {
      if (!outcome.ok) throw outcome.error;
    }
  }

  async #makeNamespace(name: string, signal: AbortSignal): Promise<void> {
    const { pipeline, logger } = this.#options;
    const value = Namespace.fromJSON({ metadata: { name } });
    const request = incoming({ revision: 0n, object: { $case: 'namespace', value } });
    try {
      await pipeline.write(createWrite(request), { fence: undefined, dryRun: false, program: 'api', signal });
      logger.info({ namespace: name }, 'namespace created');
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists')) throw error;
    }
  }
}
