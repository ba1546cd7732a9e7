import { type Clock, systemClock } from '@navarch/kit';
import { isApiError } from '@navarch/machinery';
import { EtcdConnection } from './etcd-connection.ts';
import { toEntry } from './etcd-entry.ts';
import { headerRevision, type ListOptions, listEtcd } from './etcd-list.ts';
import { decodeGroup, encodeGroup, nestable } from './etcd-transaction.ts';
import { type StoreLogger, type WatchOptions, watchEtcd } from './etcd-watch.ts';
import { GroupCommit } from './group-commit.ts';
import { checkKey, checkWellFormed, everyKey } from './keys.ts';
import { checkListing } from './listing.ts';
import type { StoreObserver } from './observer.ts';
import { atLeastOne } from './revisions.ts';
import { SharedQuestion } from './shared-question.ts';
import type { Entry, Page, Store, Transaction, TransactionResult, WatchBatch } from './store.ts';

export interface EtcdStoreOptions {
  /** `host:port`; or the IPv4 addresses of several members of one cluster, with commas between. */
  readonly endpoints: string;
  /** How long a call waits for etcd before it is Unavailable. Default 5000. */
  readonly deadlineMs?: number;
  readonly logger?: StoreLogger;
  readonly observer?: StoreObserver;
  readonly clock?: Clock;
}

/**
 * The Store on etcd 3.4 or later, which must be Navarch's own: a watch receives the changes of every key in it.
 * It connects when first used, and again whenever the connection is lost.
 */
export class EtcdStore implements Store {
  readonly #connection: EtcdConnection;
  readonly #commits: GroupCommit;
  readonly #newest: SharedQuestion<bigint>;
  readonly #clock: Clock;
  readonly #logger: StoreLogger | undefined;
  readonly #observer: StoreObserver;

  constructor(options: EtcdStoreOptions) {
    const { endpoints, deadlineMs = 5_000, clock = systemClock, observer = {} } = options;
    this.#clock = clock;
    this.#logger = options.logger;
    this.#observer = observer;
    const connection = new EtcdConnection({ endpoints, deadlineMs, clock });
    this.#connection = connection;
    this.#commits = new GroupCommit({
      clock,
      observer,
      send: (group) => send(connection, group),
    });
    // The cheapest question that etcd answers up to date: no key, only the header.
    const nothing = { key: everyKey.key, rangeEnd: new Uint8Array(), limit: 0n, revision: 0n };
    this.#newest = new SharedQuestion(async () =>
      headerRevision(await connection.range({ ...nothing, serializable: false, keysOnly: true, countOnly: true })),
    );
  }

  async get(key: string, options: { revision?: bigint; signal?: AbortSignal } = {}): Promise<Entry | undefined> {
    checkKey(key);
    const { revision, signal } = options;
    const request = {
      key: Buffer.from(key),
      rangeEnd: new Uint8Array(),
      limit: 0n,
      revision: revision === undefined ? 0n : atLeastOne(revision),
      serializable: false,
      keysOnly: false,
      countOnly: false,
    };
    const [kv] = (await this.#connection.range(request, signal)).kvs;
    return kv && toEntry(kv);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<Page> {
    checkListing(prefix, options);
    return await listEtcd(this.#connection, prefix, options);
  }

  revision(signal?: AbortSignal): Promise<bigint> {
    return this.#newest.answer(signal);
  }

  commit(transaction: Transaction, signal?: AbortSignal): Promise<TransactionResult> {
    return this.#commits.commit(transaction, signal);
  }

  commitEach(
    transactions: readonly Transaction[],
    signal?: AbortSignal,
  ): Promise<readonly PromiseSettledResult<TransactionResult>[]> {
    return this.#commits.commitEach(transactions, signal);
  }

  async *watch(prefix: string, options: WatchOptions): AsyncGenerator<WatchBatch, void, void> {
    checkWellFormed(prefix);
    const parts = {
      connection: this.#connection,
      revision: () => this.revision(),
      clock: this.#clock,
      logger: this.#logger,
      observer: this.#observer,
    };
    yield* watchEtcd(parts, prefix, options);
  }

  async compact(revision: bigint, signal?: AbortSignal): Promise<void> {
    try {
      await this.#connection.compact({ revision, physical: false }, signal);
    } catch (error) {
      // "Has been compacted" is what was wanted; the other case of Expired is a revision that etcd hasn't reached.
      if (!isApiError(error, 'Expired') || !error.message.includes('compacted')) throw error;
    }
  }

  async close(): Promise<void> {
    this.#commits.close();
    this.#connection.close();
  }
}

/**
 * An etcd that ran out of space refuses puts, but by its own count a nested transaction has none. So what it refuses alone
 * is sent again nested (a refusal is certain): an object that waits for finalizers is deleted by puts, leaders need their
 * leases to clear up, and without them nobody could ever make room. Who may still write is decided above the store.
 */
async function send(connection: EtcdConnection, group: readonly Transaction[]): Promise<TransactionResult[]> {
  const nested = group.length > 1;
  try {
    return decodeGroup(group, await connection.txn(encodeGroup(group, { nested })), { nested });
  } catch (error) {
    if (nested || !isApiError(error, 'InsufficientStorage') || !nestable(group)) throw error;
    return decodeGroup(group, await connection.txn(encodeGroup(group, { nested: true })), { nested: true });
  }
}
