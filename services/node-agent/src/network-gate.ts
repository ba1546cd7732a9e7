import type { Clock } from '@navarch/kit';
import type { Runtime } from './runtime/runtime.ts';

const pollMs = 50;

/** Waits until the runtime has read the Pod network's configuration. A Pod started before would fail and be held back. */
export function networkGate(runtime: Pick<Runtime, 'status'>, clock: Clock): (signal: AbortSignal) => Promise<void> {
  let open = false;
  return async (signal) => {
    while (!open) {
      signal.throwIfAborted();
      open = (await runtime.status(signal)).networkReady;
      if (!open) await clock.sleep(pollMs, signal);
    }
  };
}
