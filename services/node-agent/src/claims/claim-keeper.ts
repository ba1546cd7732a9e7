import type { Client, InformerSet } from '@navarch/client';
import { persistentVolumeClaim, pod as podKind } from '@navarch/kinds';
import type { Clock, Component, Logger } from '@navarch/kit';
import { isApiError } from '@navarch/machinery';
import { trouble } from '../trouble.ts';
import type { ClaimDirectories, ClaimIdentity } from './claim-directories.ts';

export interface ClaimKeeperOptions {
  readonly client: Pick<Client, 'get'>;
  /** Holds the claims whose data is on this node, and its Pods. */
  readonly informers: InformerSet;
  readonly directories: ClaimDirectories;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often the directories are looked through, for what failed or was missed. */
const sweepMs = 60_000;

/**
 * Removes the data of claims that are gone, also of those that went while the agent was away. What the caches say is only a
 * reason to ask: nothing is removed unless the api itself says that there is no such claim, and no Pod here uses it.
 */
export class ClaimKeeper implements Component {
  readonly name = 'claims';
  readonly #options: ClaimKeeperOptions;
  #woken = Promise.withResolvers<void>();
  #loop: Promise<void> = Promise.resolve();

  /** Before the informers start. */
  constructor(options: ClaimKeeperOptions) {
    this.#options = options;
    const wake = ({ type }: { readonly type: string }) => {
      if (type === 'deleted') this.#woken.resolve();
    };
    options.informers.onChange(persistentVolumeClaim, wake);
    options.informers.onChange(podKind, wake);
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#loop = this.#run(signal);
  }

  async stop(): Promise<void> {
    await this.#loop;
  }

  /** Looks once at all that is here. Returns the names of the claims whose data it removed. */
  async sweep(signal?: AbortSignal): Promise<readonly string[]> {
    const { directories, logger } = this.#options;
    await directories.finishRemovals();
    const removed: string[] = [];
    for (const claim of await directories.list()) {
      signal?.throwIfAborted();
      if (!(await this.#isGone(claim, signal))) continue;
      await directories.remove(claim.uid);
      removed.push(`${claim.namespace}/${claim.name}`);
      logger.info({ claim: `${claim.namespace}/${claim.name}`, uid: claim.uid }, 'removed the data of a deleted claim');
    }
    return removed;
  }

  async #isGone({ namespace, name, uid }: ClaimIdentity, signal?: AbortSignal): Promise<boolean> {
    const { client, informers } = this.#options;
    const known = informers.lister(persistentVolumeClaim).get({ namespace, name });
    if (known?.metadata.uid === uid) return false;
    const used = informers
      .lister(podKind)
      .list(namespace)
      .some(({ spec }) => spec.volumes.some((volume) => volume.persistentVolumeClaim?.claimName === name));
    // The Pod may use another claim of that name; then the data goes with the Pod at the latest.
    if (used) return false;
    try {
      const claim = await client.get(persistentVolumeClaim, { namespace, name }, signal && { signal });
      return claim.metadata.uid !== uid;
    } catch (error) {
      if (isApiError(error, 'NotFound')) return true;
      throw error;
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { informers, clock, logger } = this.#options;
    await informers.synced(signal).catch(() => undefined);
    while (!signal.aborted) {
      this.#woken = Promise.withResolvers<void>();
      await this.sweep(signal).catch((error: unknown) => {
        if (!signal.aborted) logger.warn(trouble(error), 'data of deleted claims could not be removed; trying again');
      });
      const pause = new AbortController();
      const sleep = clock.sleep(sweepMs, AbortSignal.any([signal, pause.signal])).catch(() => undefined);
      await Promise.race([this.#woken.promise, sleep]);
      pause.abort();
    }
  }
}
