import { compareKeys } from './keys.ts';
import { atLeastOne, compactedError, futureError } from './revisions.ts';
import {
  type Entry,
  holds,
  type Page,
  type Store,
  type StoreEvent,
  type Transaction,
  type TransactionResult,
  type WatchBatch,
} from './store.ts';

/** The contract at its plainest: a whole copy of the map for every revision. Without abort signals, waiting and checks. */
export class NaiveStore implements Store {
  /** By revision: what was there, and what had changed. The first is revision 1. */
  readonly #states: { readonly entries: ReadonlyMap<string, Entry>; readonly events: readonly StoreEvent[] }[] = [
    { entries: new Map(), events: [] },
  ];
  #compacted = 0n;

  async get(key: string, options: { revision?: bigint } = {}): Promise<Entry | undefined> {
    return this.#at(options.revision).get(key);
  }

  async list(prefix: string, options: { revision?: bigint; limit?: number; startAfter?: string } = {}): Promise<Page> {
    const { limit = Number.POSITIVE_INFINITY, startAfter } = options;
    const all = [...this.#at(options.revision).values()]
      .filter(({ key }) => key.startsWith(prefix) && (startAfter === undefined || compareKeys(key, startAfter) > 0))
      .toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    return {
      entries: all.slice(0, limit),
      revision: options.revision ?? this.#newest,
      more: all.length > limit,
    };
  }

  async revision(): Promise<bigint> {
    return this.#newest;
  }

  async commit({ compare, ops }: Transaction): Promise<TransactionResult> {
    const before = this.#at();
    const conflicts = compare
      .filter((each) => !holds(each, before.get(each.key)?.modRevision ?? 0n))
      .map(({ key }) => ({ key, entry: before.get(key) }));
    if (conflicts.length > 0) return { committed: false, revision: this.#newest, conflicts };
    const modRevision = this.#newest + 1n;
    const entries = new Map(before);
    const events = ops.flatMap((op): StoreEvent[] => {
      const { key } = op;
      if (op.type === 'delete') return entries.delete(key) ? [{ type: 'delete', key, modRevision }] : [];
      const createRevision = entries.get(key)?.createRevision ?? modRevision;
      const entry = { key, value: op.value, createRevision, modRevision };
      entries.set(key, entry);
      return [{ type: 'put', entry }];
    });
    if (events.length > 0) this.#states.push({ entries, events });
    return { committed: true, revision: this.#newest };
  }

  async commitEach(transactions: readonly Transaction[]): Promise<readonly PromiseSettledResult<TransactionResult>[]> {
    return await Promise.allSettled(transactions.map((transaction) => this.commit(transaction)));
  }

  async *watch(prefix: string, { after }: { after: bigint }): AsyncGenerator<WatchBatch, void, void> {
    this.#at(after);
    for (let revision = after + 1n; revision <= this.#newest; revision++) {
      const events = this.#states[Number(revision) - 1]?.events ?? [];
      const matching = events.filter((event) =>
        (event.type === 'put' ? event.entry.key : event.key).startsWith(prefix),
      );
      if (matching.length > 0) yield { revision, events: matching };
    }
    yield { revision: this.#newest, events: [] };
  }

  async compact(revision: bigint): Promise<void> {
    if (revision > this.#newest) throw futureError(revision, this.#newest);
    if (revision > this.#compacted) this.#compacted = revision;
  }

  async close(): Promise<void> {}

  get #newest(): bigint {
    return BigInt(this.#states.length);
  }

  #at(revision = this.#newest): ReadonlyMap<string, Entry> {
    if (revision > this.#newest) throw futureError(revision, this.#newest);
    if (atLeastOne(revision) < this.#compacted) throw compactedError(revision, this.#compacted);
    return this.#states[Number(atLeastOne(revision)) - 1]?.entries ?? new Map();
  }
}
