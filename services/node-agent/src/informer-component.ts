import type { InformerSet } from '@navarch/client';
import type { Component } from '@navarch/kit';

/** Keeps the caches filled for as long as the components that stand on them live. */
export class InformerComponent implements Component {
  readonly name = 'informers';
  readonly #informers: InformerSet;
  #running: Promise<void> = Promise.resolve();

  constructor(informers: InformerSet) {
    this.#informers = informers;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#running = this.#informers.run(signal);
  }

  async stop(): Promise<void> {
    await this.#running;
  }
}
