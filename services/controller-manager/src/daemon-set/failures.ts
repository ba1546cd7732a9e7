/** When a node's daemon Pod was last removed because it had ended, and how often in a row. By node. */
export type Failures = ReadonlyMap<string, Failure>;

export interface Failure {
  readonly count: number;
  readonly atMs: number;
}

const firstMs = 1_000;
const longestMs = 15 * 60_000;
/** A node where it went well for so long begins anew. */
const forgottenMs = 2 * longestMs;

/** From when on a Pod that has ended on the node may be removed, so that the next one is made. */
export function retryAtMs(failures: Failures, node: string): number {
  const failure = failures.get(node);
  if (failure === undefined) return Number.NEGATIVE_INFINITY;
  return failure.atMs + Math.min(firstMs * 2 ** (failure.count - 1), longestMs);
}

/** The failures that still matter, with those of `nodes` added. */
export function withFailures(failures: Failures, nodes: readonly string[], now: number): Failures {
  const next = new Map([...failures].filter(([, { atMs }]) => now - atMs < forgottenMs));
  for (const node of nodes) next.set(node, { count: (next.get(node)?.count ?? 0) + 1, atMs: now });
  return next;
}
