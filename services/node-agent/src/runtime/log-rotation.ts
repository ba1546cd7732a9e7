import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock, Component, Logger } from '@navarch/kit';
import { isApiError } from '@navarch/machinery';
import type { Runtime } from './runtime.ts';

export interface LogRotationOptions {
  readonly runtime: Pick<Runtime, 'listContainers' | 'reopenLog'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A file this large is rotated. */
  readonly mostBytes: number;
  /** How many old files stay beside the current one. */
  readonly keep: number;
  readonly intervalMs: number;
}

/** Keeps containers' logs from filling the disk: moves a large file away and has the runtime begin a new one. */
export class LogRotation implements Component {
  readonly name = 'log-rotation';
  readonly #options: LogRotationOptions;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: LogRotationOptions) {
    this.#options = options;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#loop = this.#run(signal);
  }

  async stop(): Promise<void> {
    await this.#loop;
  }

  /** Looks once at every running container's log. */
  async rotate(signal?: AbortSignal): Promise<void> {
    const { runtime, logger, mostBytes, keep } = this.#options;
    for (const { id, logPath, state } of await runtime.listContainers({}, signal)) {
      if (state !== 'running' || logPath === '') continue;
      const size = await stat(logPath).then(
        (found) => found.size,
        () => 0,
      );
      if (size < mostBytes) continue;
      const old = `${logPath}.${new Date(this.#options.clock.now()).toISOString().replace(/[-:.]/g, '')}`;
      await rename(logPath, old);
      try {
        await runtime.reopenLog(id);
      } catch (error) {
        // It still writes to the old file, so that must keep its name, unless the container ended meanwhile.
        await rename(old, logPath);
        if (!isApiError(error, 'NotFound')) throw error;
      }
      await removeOld(logPath, keep);
      logger.debug({ logPath, size }, 'log rotated');
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, logger, intervalMs } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(intervalMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.rotate(signal).catch((error: unknown) => {
        if (!signal.aborted) logger.warn({ err: error }, 'logs could not be rotated; trying again');
      });
    }
  }
}

async function removeOld(logPath: string, keep: number): Promise<void> {
  const dir = dirname(logPath);
  const old = (await readdir(dir)).filter((name) => name.startsWith(`${basename(logPath)}.`)).sort();
  for (const name of old.slice(0, Math.max(0, old.length - keep))) await rm(join(dir, name), { force: true });
}
