import { backoffDelayMs, type Clock } from '@navarch/kit';
import { ApiError, isApiError } from '@navarch/machinery';
import type { Compare, Operation, Transaction } from '@navarch/store';
import type { ObjectSource } from '../read/source.ts';
import { seal } from '../storage/envelope.ts';
import { asItWas } from './current.ts';
import { roomKey } from './rooms.ts';
import { Turn, type Turns } from './turns.ts';
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
  options: { clock: Clock; turns: Turns; dryRun: boolean; signal: AbortSignal },
): Promise<Committed> {
  const { clock, turns, dryRun, signal } = options;
  using turn = new Turn(turns);
  let confirmed = false;
  let beaten = false;
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
    const contended = contendedKeys(decision, beaten);
    const waits = contended.length > 0 && !turn.taken && !turn.takeNow(contended, source.cache.revision);
    if (waits) {
      await source.cache.reached(await turn.take(contended, signal), signal);
      continue;
    }
    const result = await source.commit(transaction, signal);
    if (result.committed) {
      turn.wrote(result.revision);
      return { writes: decision.writes, revision: result.revision };
    }
    await source.cache.reached(result.revision, signal);
    confirmed = true;
    beaten = true;
    if (attempt > 1) await clock.sleep(backoffDelayMs(attempt, { baseMs: 1, maxMs: 50, jitter: 1 }), signal);
  }
  throw new ApiError(
    'Conflict',
    `gave up after ${maxAttempts} attempts: others change the same objects all the time; try later`,
  );
}

/**
 * The transaction of a decision that can be tried at once: it changes something, and `turn` was to be had at once for all that
 * others are likely to change.
 */
export function readyTransaction(decision: Decision, turn: Turn, shown: bigint): Transaction | undefined {
  const transaction = join(decision);
  if (transaction.ops.length === 0) return undefined;
  const contended = contendedKeys(decision, false);
  return contended.length === 0 || turn.takeNow(contended, shown) ? transaction : undefined;
}

/** What others are likely to change at the same time: quotas, rooms of nodes, and all of it once another has been faster. */
function contendedKeys({ writes }: Decision, beaten: boolean): readonly string[] {
  return writes.flatMap(({ key, others = [], taking }) => [
    ...(beaten ? [key] : []),
    ...others.map(({ object }) => object.key),
    ...(taking === undefined ? [] : [roomKey(taking.nodeName)]),
  ]);
}

function join({ writes, fence }: Decision): Transaction {
  const compare = new Map<string, Compare>();
  // Of two writes of one object the later one counts: it was decided on what the first one does.
  const ops = new Map<string, Operation>();
  for (const each of fence) compare.set(each.key, each);
  for (const write of writes) {
    for (const each of write.compare) compare.set(each.key, each);
    for (const each of write.ops) ops.set(each.key, each);
    for (const { object, body } of write.others ?? []) {
      compare.set(object.key, asItWas(object));
      ops.set(object.key, { type: 'put', key: object.key, value: seal(body) });
    }
  }
  return { compare: [...compare.values()], ops: [...ops.values()] };
}
