import { isApiError, toApiError } from '@navarch/machinery';
import type { Transaction, TransactionResult } from '@navarch/store';
import type { ObjectSource } from '../read/source.ts';
import { OwnWrites } from './own-writes.ts';
import type { Turn } from './turns.ts';
import type { Circumstances, Prepared, Write } from './write.ts';

/** A write of a call, and its place there. */
interface Member {
  readonly at: number;
  readonly write: Write;
}

/** A write of a call as it was decided at first. */
export interface Part {
  readonly at: number;
  readonly prepared: Prepared;
}

/** Writes of one call that go to the store in one transaction as they were decided at first. */
export interface FirstTry {
  readonly source: ObjectSource;
  readonly parts: readonly Part[];
  readonly turn: Turn;
  readonly transaction: Transaction;
}

/** A transaction has room for 128 compares, and each of them has its own. */
const mostTogether = 50;

/** Who is tried with whom: each alone, but those that go together. Left out: who is wrong, or needs a state as new as the call. */
export function firstTryGroups(writes: readonly (() => Write)[]): readonly (readonly Member[])[] {
  const groups: Member[][] = [];
  const open = new Map<string, Member[]>();
  for (const [at, decode] of writes.entries()) {
    const write = decodedOrLater(decode);
    if (write === undefined || write.decidedOnOthers === true) continue;
    const { goesTogether } = write;
    const group = goesTogether === undefined ? undefined : open.get(goesTogether);
    if (group !== undefined && group.length < mostTogether) group.push({ at, write });
    else {
      const fresh = [{ at, write }];
      groups.push(fresh);
      if (goesTogether !== undefined) open.set(goesTogether, fresh);
    }
  }
  return groups;
}

function decodedOrLater(decode: () => Write): Write | undefined {
  try {
    return decode();
  } catch {
    // What is wrong with it is said when it is tried again.
    return undefined;
  }
}

/** Those that change something, each decided on what those before it leave. */
export function firstParts(members: readonly Member[], circumstances: Circumstances): readonly Part[] {
  const view = members.length > 1 ? new OwnWrites(circumstances.view) : undefined;
  const decidedOn = view === undefined ? circumstances : { ...circumstances, view };
  return members.flatMap(({ at, write }) => {
    try {
      const prepared = write.prepare(decidedOn);
      if (prepared.ops.length === 0) return [];
      view?.add(write.kind, prepared);
      return [{ at, prepared }];
    } catch {
      // What is wrong with it is said when it is tried again, on a state that is as new as the call.
      return [];
    }
  });
}

export type FirstOutcome =
  | { readonly type: 'committed'; readonly revision: bigint }
  | { readonly type: 'failed'; readonly error: ReturnType<typeof toApiError> }
  /** Others were faster, or it was too much at once: each is to be tried on its own. */
  | { readonly type: 'undecided' };

export function firstOutcome(
  { parts }: FirstTry,
  result: PromiseSettledResult<TransactionResult> | undefined,
): FirstOutcome {
  if (result?.status !== 'fulfilled') {
    const isTooLarge = parts.length > 1 && isApiError(result?.reason, 'RequestEntityTooLarge');
    return isTooLarge ? { type: 'undecided' } : { type: 'failed', error: toApiError(result?.reason) };
  }
  const { committed, revision } = result.value;
  return committed ? { type: 'committed', revision } : { type: 'undecided' };
}
