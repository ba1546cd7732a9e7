import { onAbort } from '@navarch/kit';

interface Shared {
  readonly all: Set<() => void>;
  readonly listener: Disposable;
}

/** What `onAbort` does, with one listener of a signal for all who wait for it: a call may have a hundred writes under way. */
export class SharedAborts {
  readonly #signals = new Map<AbortSignal, Shared>();

  /** Calls `fn` once when `signal` aborts, or at once when it already has. Dispose to stop listening. */
  listen(signal: AbortSignal, fn: () => void): Disposable {
    if (signal.aborted) return onAbort(signal, fn);
    const shared = this.#signals.get(signal) ?? this.#begin(signal);
    shared.all.add(fn);
    return {
      [Symbol.dispose]: () => {
        shared.all.delete(fn);
        if (shared.all.size > 0 || this.#signals.get(signal) !== shared) return;
        this.#signals.delete(signal);
        shared.listener[Symbol.dispose]();
      },
    };
  }

  #begin(signal: AbortSignal): Shared {
    const all = new Set<() => void>();
    const listener = onAbort(signal, () => {
      this.#signals.delete(signal);
      for (const fn of all) fn();
    });
    const shared = { all, listener };
    this.#signals.set(signal, shared);
    return shared;
  }
}
