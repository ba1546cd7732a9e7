import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until `check` gives something truthy; what it throws counts as "not yet".
 * @template T
 * @param {string} what completes the sentence "timed out waiting for …"
 * @param {() => Promise<T | undefined | false | null> | T | undefined | false | null} check
 * @param {{ timeoutMs: number, everyMs?: number, signal?: AbortSignal }} options
 * @returns {Promise<T>}
 */
export async function waitFor(what, check, { timeoutMs, everyMs = 50, signal }) {
  const deadline = performance.now() + timeoutMs;
  /** @type {unknown} */
  let last;
  for (;;) {
    try {
      const result = await check();
      if (result) return result;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      const why = last instanceof Error ? `: ${last.message}` : '';
      throw new Error(`timed out after ${timeoutMs / 1000} s waiting for ${what}${why}`, { cause: last });
    }
    await sleep(everyMs, undefined, { signal });
  }
}
