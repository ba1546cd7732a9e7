import type { MemoryBus, MemoryHub } from '@navarch/bus';
import { type ApiClient, createClient } from '@navarch/client';
import { type Clock, type Component, Components, type Logger } from '@navarch/kit';

export interface SimulatedProcessOptions {
  readonly name: string;
  /** The api: `host:port`. */
  readonly address: string;
  readonly hub: MemoryHub;
  readonly logger: Logger;
  readonly clock: Clock;
  /** What the process consists of, over its own connections. */
  readonly parts: (client: ApiClient, bus: MemoryBus) => readonly Component[];
}

/** A service as if in a process of its own: with its own connections, which end with it. */
export class SimulatedProcess {
  readonly bus: MemoryBus;
  readonly #client: ApiClient;
  readonly #whole: Components;

  private constructor({ name, address, hub, logger, clock, parts }: SimulatedProcessOptions) {
    this.bus = hub.connect();
    this.#client = createClient({ address, logger, clock });
    this.#whole = new Components({ name, components: parts(this.#client, this.bus), logger });
  }

  static async start(options: SimulatedProcessOptions): Promise<SimulatedProcess> {
    const process = new SimulatedProcess(options);
    await process.#whole.start(new AbortController().signal);
    return process;
  }

  /** As SIGTERM: finishes what is under way and gives back what it holds. */
  async stop(): Promise<void> {
    await this.#whole.stop();
    this.#client.close();
    await this.bus.close();
  }

  /**
   * As SIGKILL: from this moment on nobody hears of it, and what it held it holds until that runs out. What is left of it
   * has ended when the promise resolves; a successor need not wait.
   */
  async kill(): Promise<void> {
    this.#client.close();
    await this.bus.close();
    await this.#whole.stop();
  }
}
