import type { Clock } from '@navarch/kit';
import { ApiError, isApiError } from '@navarch/machinery';
import { KeyLocks, type KeyUse } from './key-locks.ts';
import type { StoreObserver } from './observer.ts';
import { closedError } from './revisions.ts';
import { SharedAborts } from './shared-aborts.ts';
import type { Transaction, TransactionResult } from './store.ts';
import { checkTransaction, type TransactionSize, transactionLimits } from './transaction.ts';

/** Sends transactions with distinct keys as one, and answers in their order. */
export type SendGroup = (group: readonly Transaction[]) => Promise<readonly TransactionResult[]>;

export interface GroupCommitOptions {
  readonly send: SendGroup;
  readonly clock: Clock;
  readonly observer: StoreObserver;
}

type Outcome = PromiseSettledResult<TransactionResult>;

interface Waiting extends TransactionSize, KeyUse {
  readonly transaction: Transaction;
  /** Those that came together, and its place among them. */
  readonly batch: Batch;
  readonly index: number;
}

/** What has become of transactions that came together. */
class Batch {
  /** Those of them that had to wait for etcd. */
  readonly members: Waiting[] = [];
  readonly #outcomes: (Outcome | undefined)[];
  readonly #all = Promise.withResolvers<readonly Outcome[]>();
  #open: number;

  constructor(size: number) {
    this.#outcomes = Array.from({ length: size });
    this.#open = size;
    if (size === 0) this.#all.resolve([]);
  }

  /** Resolves when there is an outcome for each. */
  get all(): Promise<readonly Outcome[]> {
    return this.#all.promise;
  }

  /** The first outcome of each counts. */
  settle(index: number, outcome: Outcome): void {
    if (this.#outcomes[index] !== undefined) return;
    this.#outcomes[index] = outcome;
    this.#open--;
    if (this.#open === 0) this.#all.resolve(this.#outcomes.flatMap((each) => each ?? []));
  }
}

/** Two, so that etcd has work while the answer to the one before is on its way; more would only make groups smaller. */
const maxInFlight = 2;
const maxGroupBytes = 1024 * 1024;
const maxWaiting = { transactions: 10_000, bytes: 64 * 1024 * 1024 };
/** How far behind the head of the queue a group may look past transactions that have to wait for another. */
const maxLookahead = 1024;

/**
 * Group commit: what arrives while etcd is busy travels as one transaction of nested ones. etcd judges all compares
 * before the first operation, so a group holds no two transactions of which one changes a key that the other compares or
 * changes; nor is such a pair ever in flight at once, so that they take effect in the order of the calls.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #waiting = new Set<Waiting>();
  readonly #locks = new KeyLocks();
  readonly #aborts = new SharedAborts();
  #waitingBytes = 0;
  #inFlight = 0;
  #scheduled = false;
  #closed = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  async commit(transaction: Transaction, signal?: AbortSignal): Promise<TransactionResult> {
    const [outcome] = await this.commitEach([transaction], signal);
    if (outcome?.status === 'fulfilled') return outcome.value;
    throw outcome?.reason;
  }

  /** What becomes of each: one promise for all of them, because a call may bring a hundred. Never rejects. */
  async commitEach(transactions: readonly Transaction[], signal?: AbortSignal): Promise<readonly Outcome[]> {
    const batch = new Batch(transactions.length);
    for (const [index, transaction] of transactions.entries()) {
      try {
        this.#add(transaction, batch, index);
      } catch (reason) {
        batch.settle(index, { status: 'rejected', reason });
      }
    }
    this.#schedule();
    if (!signal) return await batch.all;
    const listener = this.#aborts.listen(signal, () => this.#cancel(batch, signal));
    // Not `using`: as it is compiled it makes several objects, for each write.
    try {
      return await batch.all;
    } finally {
      listener[Symbol.dispose]();
    }
  }

  #add(transaction: Transaction, batch: Batch, index: number): void {
    const { operations, bytes } = checkTransaction(transaction);
    if (this.#closed) throw closedError();
    if (this.#waiting.size >= maxWaiting.transactions || this.#waitingBytes + bytes > maxWaiting.bytes) {
      throw new ApiError('TooManyRequests', `${this.#waiting.size} writes wait for etcd already; try later`);
    }
    const { reads, writes } = keyUse(transaction);
    const waiting: Waiting = { transaction, operations, bytes, reads, writes, batch, index };
    batch.members.push(waiting);
    this.#waiting.add(waiting);
    this.#waitingBytes += bytes;
  }

  #cancel({ members }: Batch, { reason: cause }: AbortSignal): void {
    for (const waiting of members) {
      const unsent = this.#take(waiting);
      const fate = unsent ? 'before it was sent' : 'while under way: whether it was committed is unknown';
      fail(waiting, new ApiError('Cancelled', `the write was cancelled ${fate}`, { cause }));
    }
  }

  /** Refuses what waits and what comes. What is in flight gets its answer. */
  close(): void {
    this.#closed = true;
    for (const waiting of this.#waiting) {
      this.#take(waiting);
      fail(waiting, closedError());
    }
  }

  /** Everything that this turn of the event loop brings goes together; a lone write loses no time by it. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#inFlight < maxInFlight) {
        const group = this.#gather();
        if (group.length === 0) return;
        void this.#send(group);
      }
    });
  }

  #gather(): Waiting[] {
    const group: Waiting[] = [];
    const passedOver = new KeyLocks();
    let [changes, largest, bytes, looked] = [0, 0, 0, 0];
    for (const waiting of this.#waiting) {
      if (++looked > maxLookahead) break;
      if (this.#locks.conflicts(waiting) || passedOver.conflicts(waiting)) {
        passedOver.add(waiting);
        continue;
      }
      changes += waiting.transaction.ops.length;
      largest = Math.max(largest, waiting.operations);
      bytes += waiting.bytes;
      // etcd takes the number of nested transactions from what each of them may hold. Their compares it does not add up.
      const nested = Math.max(changes, group.length + 1 + largest);
      if (group.length > 0 && (nested > transactionLimits.operations || bytes > maxGroupBytes)) break;
      this.#take(waiting);
      this.#locks.add(waiting);
      group.push(waiting);
    }
    return group;
  }

  /** Never rejects: every outcome goes to the transactions' own batches. */
  async #send(group: readonly Waiting[]): Promise<void> {
    this.#inFlight++;
    this.#options.observer.waiting?.(this.#waiting.size);
    await this.#sendTogether(group);
    for (const waiting of group) this.#locks.remove(waiting);
    this.#inFlight--;
    if (this.#waiting.size > 0) this.#schedule();
  }

  async #sendTogether(group: readonly Waiting[]): Promise<void> {
    const { send, clock, observer } = this.#options;
    const startedMs = clock.monotonicMs();
    const report = (failed: boolean) =>
      observer.group?.({
        transactions: group.length,
        operations: group.reduce((sum, { operations }) => sum + operations, 0),
        bytes: group.reduce((sum, { bytes }) => sum + bytes, 0),
        durationMs: clock.monotonicMs() - startedMs,
        failed,
      });
    try {
      const results = await send(group.map(({ transaction }) => transaction));
      report(false);
      for (const [i, waiting] of group.entries()) {
        const value = results[i];
        if (value) waiting.batch.settle(waiting.index, { status: 'fulfilled', value });
        else {
          const problem = `etcd answered ${results.length} of ${group.length} transactions`;
          fail(waiting, new ApiError('InternalError', problem));
        }
      }
    } catch (error) {
      report(true);
      if (group.length > 1 && isApiError(error, 'BadRequest', 'RequestEntityTooLarge')) {
        // etcd refused before it did anything (its limits may be lower than ours): one of them must not fail the others.
        for (const waiting of group) await this.#sendTogether([waiting]);
      } else for (const waiting of group) fail(waiting, error);
    }
  }

  /** Whether it was still waiting. */
  #take(waiting: Waiting): boolean {
    if (!this.#waiting.delete(waiting)) return false;
    this.#waitingBytes -= waiting.bytes;
    return true;
  }
}

function fail({ batch, index }: Waiting, reason: unknown): void {
  batch.settle(index, { status: 'rejected', reason });
}

function keyUse({ compare, ops }: Transaction): KeyUse {
  const writes = ops.map(({ key }) => key);
  return { writes, reads: compare.map(({ key }) => key).filter((key) => !writes.includes(key)) };
}
