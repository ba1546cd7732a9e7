import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long a slice of work may keep everything else from going on. */
const sliceMs = 5;

/** Runs the steps to their end in slices, between which placing Pods goes on. Throws the signal's reason when it aborts. */
export async function inSlices<T>(steps: Generator<void, T, void>, signal: AbortSignal): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    const end = performance.now() + sliceMs;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < end);
    await nextTurn();
  }
}
