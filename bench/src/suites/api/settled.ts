import { setTimeout as sleep } from 'node:timers/promises';
import { residentMiB } from '../../frame/process-usage.ts';

/** So long without a smaller figure, and the memory of a process that does nothing counts as settled. */
const steadyMs = 4_000;
const longestMs = 20_000;

/** What a process keeps in memory when it is left alone: the least that was seen until it shrank no further. */
export async function settledMiB(pid: number): Promise<number> {
  const endMs = performance.now() + longestMs;
  let least = residentMiB(pid);
  let leastAtMs = performance.now();
  while (performance.now() - leastAtMs < steadyMs && performance.now() < endMs) {
    await sleep(100);
    const now = residentMiB(pid);
    if (now > least - 1) continue;
    least = now;
    leastAtMs = performance.now();
  }
  return least;
}
