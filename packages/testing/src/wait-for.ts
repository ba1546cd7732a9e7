import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** Gives up after this long. Default 10 s. */
  readonly timeoutMs?: number;
  /** Asks this often. Default 10 ms. */
  readonly intervalMs?: number;
  /** What is waited for, for the message when it doesn't come. */
  readonly what?: string;
}

/**
 * Asks `check` until it gives something truthy, and returns that. A check that throws counts as "not yet"; the last
 * error becomes the cause of the failure when time runs out.
 */
export async function waitFor<T>(
  check: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const { timeoutMs = 10_000, intervalMs = 10, what = check.toString() } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      const value = await check();
      // What is truthy is none of the excluded values; TypeScript can't see that of a bare T.
      if (value) return value as Exclude<T, false | null | undefined | 0 | ''>;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) {
      const why = cause instanceof Error ? `: ${cause.message}` : '';
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}${why}`, { cause });
    }
    await delay(intervalMs);
  }
}
