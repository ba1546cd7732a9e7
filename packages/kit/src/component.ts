import { linkSignals, withDeadline } from './abort.ts';
import type { Logger } from './logger.ts';

/**
 * A part of a process with a life. `start` resolves once the part serves; what goes on after that runs until `signal`
 * aborts. `stop` comes after the abort and resolves when everything has ended; it is called only after `start`
 * has been, whether or not that succeeded, and may be called again.
 */
export interface Component {
  readonly name: string;
  start(signal: AbortSignal): Promise<void>;
  stop?(): Promise<void>;
}

/**
 * A component out of a loop: `run` begins at the start, and stopping waits until it has ended. An error that it ends with
 * other than by its signal is nobody's to handle, and ends the process.
 */
export function background(name: string, run: (signal: AbortSignal) => Promise<void>): Component {
  let running: Promise<void> | undefined;
  return {
    name,
    start: async (signal) => {
      running = run(signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    },
    stop: async () => running,
  };
}

const defaultStopTimeoutMs = 10_000;

/**
 * Several components as one: started in order, stopped in reverse, so that what a component stands on outlives it. A
 * component that doesn't stop within `stopTimeoutMs` is left behind, with a log line.
 */
export class Components implements Component {
  readonly name: string;
  readonly #parts: readonly Component[];
  readonly #logger: Logger;
  readonly #stopTimeoutMs: number;
  readonly #started: { readonly part: Component; readonly abort: () => void }[] = [];
  #stopping: Promise<void> | undefined;

  constructor(options: { name: string; components: readonly Component[]; logger: Logger; stopTimeoutMs?: number }) {
    this.name = options.name;
    this.#parts = options.components;
    this.#logger = options.logger;
    this.#stopTimeoutMs = options.stopTimeoutMs ?? defaultStopTimeoutMs;
  }

  /** When a part fails to start, those before it are stopped and its error, naming it, is thrown. */
  async start(signal: AbortSignal): Promise<void> {
    for (const part of this.#parts) {
      signal.throwIfAborted();
      // A part's own signal follows the whole's only while it starts; after that the order of `stop` decides.
      const own = new AbortController();
      const whileStarting = linkSignals(signal);
      const relay = () => own.abort(signal.reason);
      whileStarting.signal.addEventListener('abort', relay, { once: true });
      this.#started.push({ part, abort: () => own.abort(new Error(`${part.name} is being stopped`)) });
      try {
        await part.start(own.signal);
        this.#logger.debug({ component: part.name }, 'component started');
      } catch (error) {
        await this.stop();
        signal.throwIfAborted();
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`${part.name} did not start: ${reason}`, { cause: error });
      } finally {
        whileStarting.signal.removeEventListener('abort', relay);
      }
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (const { part, abort } of this.#started.toReversed()) {
      abort();
      try {
        const stopped = part.stop?.() ?? Promise.resolve();
        await withDeadline(stopped, this.#stopTimeoutMs, `still busy after ${this.#stopTimeoutMs} ms`);
        this.#logger.debug({ component: part.name }, 'component stopped');
      } catch (error) {
        this.#logger.error({ err: error, component: part.name }, 'component did not stop cleanly');
      }
    }
  }
}
