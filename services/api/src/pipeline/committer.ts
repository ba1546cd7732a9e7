import { backoffDelayMs, type Clock } from '@navarch/kit';
import { ApiError, isApiError } from '@navarch/machinery';
import type { Compare, Operation, Transaction } from '@navarch/store';
import type { ObjectSource } from '../read/source.ts';
import type { Prepared } from './write.ts';

/** So many times a write is decided anew because others were faster. */
const maxAttempts = 40;

/** What several prepared writes have in common: conditions beyond their own. */
export interface Decision {
  readonly writes: readonly Prepared[];
  readonly fence: readonly Compare[];
}

export interface Committed {
  readonly writes: readonly Prepared[];
  /** Of the transaction; 0n when nothing was written. */
  readonly revision: bigint;
}

/**
 * Decides, commits, and decides again when the state moved meanwhile. A refusal is believed only when it was decided on a
 * state as new as the call: otherwise the cache may simply not have seen what the caller has.
 */
export async function commit(
  source: ObjectSource,
  decide: () => Decision,
  options: { clock: Clock; dryRun: boolean; signal: AbortSignal },
): Promise<Committed> {
  const { clock, dryRun, signal } = options;
  let confirmed = false;
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    let decision: Decision;
    try {
      decision = decide();
    } catch (error) {
      if (confirmed || !isApiError(error)) throw error;
      await source.fresh(signal);
      confirmed = true;
      continue;
    }
    const transaction = join(decision);
    if (transaction.ops.length === 0 || dryRun) {
      if (confirmed) return { writes: decision.writes, revision: 0n };
      await source.fresh(signal);
      confirmed = true;
      continue;
    }
    const result = await source.commit(transaction, signal);
    if (result.committed) return { writes: decision.writes, revision: result.revision };
    await source.cache.reached(result.revision, signal);
    confirmed = true;
    if (attempt > 1) await clock.sleep(backoffDelayMs(attempt, { baseMs: 1, maxMs: 50, jitter: 1 }), signal);
  }
  throw new ApiError(
    'Conflict',
    `gave up after ${maxAttempts} attempts: others change the same objects all the time; try later`,
  );
}

function join({ writes, fence }: Decision): Transaction {
  const compare = new Map<string, Compare>();
  const ops: Operation[] = [];
  for (const each of fence) compare.set(each.key, each);
  for (const write of writes) {
    for (const each of write.compare) compare.set(each.key, each);
    ops.push(...write.ops);
  }
  return { compare: [...compare.values()], ops };
}
