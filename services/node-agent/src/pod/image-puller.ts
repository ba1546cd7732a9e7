import { abortable } from '@navarch/kit';
import type { Runtime } from '../runtime/runtime.ts';

/** Pulls images. Who asks for one that is being pulled already waits for that pull: twenty Pods starting together ask once. */
export class ImagePuller {
  readonly #runtime: Pick<Runtime, 'pullImage'>;
  readonly #pulls = new Map<string, Promise<string>>();

  constructor(runtime: Pick<Runtime, 'pullImage'>) {
    this.#runtime = runtime;
  }

  async pull(image: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    let pull = this.#pulls.get(image);
    if (!pull) {
      pull = this.#runtime.pullImage(image, {}).finally(() => this.#pulls.delete(image));
      // Whoever still waits hears of a failure; with nobody waiting any more it matters to none.
      pull.catch(() => undefined);
      this.#pulls.set(image, pull);
    }
    await abortable(pull, signal);
  }
}
