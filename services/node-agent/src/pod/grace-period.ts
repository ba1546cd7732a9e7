/**
 * How long the end of a Pod waits at most until nobody sends it anything new: longer than the next controller-manager
 * needs to take over from one that died, since the EndpointSlices are brought up to date only then.
 */
const mostRemovalMs = 10_000;

/** As above, but so that at least half of the grace period is the Pod's own. */
export function longestRemovalMs(graceSeconds: number): number {
  return Math.min(mostRemovalMs, (graceSeconds * 1000) / 2);
}

/** What is left of the period after `usedMs` of it; whoever had time to end is not killed at once. */
export function graceLeft(graceSeconds: number, usedMs: number): number {
  return Math.max(graceSeconds - Math.floor(usedMs / 1000), Math.min(graceSeconds, 1));
}
