import { lease as leaseKind } from '@navarch/kinds';
import { ApiError, isApiError } from '@navarch/machinery';
import type { Lease } from '@navarch/proto';
import type { Store } from '@navarch/store';
import { feedLease } from '../feed/feed-lease.ts';
import type { Past } from '../read/source.ts';

/** The cluster was at `revision` at `atMs`. */
export interface Moment {
  readonly revision: bigint;
  readonly atMs: number;
}

/**
 * Which revision was when. Nothing is kept for it: the holder of the Lease of the change feed renews it every three seconds
 * and says the time, so the versions of that Lease in the store are a timeline as long as the store's history is. It outlives
 * restarts, is the same at every replica, and costs nothing. An etcd revision itself has no time.
 */
export class Timeline {
  readonly #store: Pick<Store, 'revision'>;
  readonly #past: Pick<Past, 'get'>;

  constructor(options: { store: Pick<Store, 'revision'>; past: Pick<Past, 'get'> }) {
    this.#store = options.store;
    this.#past = options.past;
  }

  /** The newest moment that is not after `ms`. Throws Expired when the store's history begins later. */
  async find(ms: number, signal: AbortSignal): Promise<Moment> {
    let found: { readonly moment: Moment; readonly readAt: bigint } | undefined;
    let oldest: Moment | undefined;
    let low = 1n;
    let high = await this.#store.revision(signal);
    while (low <= high) {
      const middle = (low + high) / 2n;
      const moment = await this.at(middle, signal);
      if (moment !== undefined && moment.atMs > ms) {
        oldest = moment;
        high = moment.revision - 1n;
      } else {
        if (moment !== undefined) found = { moment, readAt: middle };
        low = middle + 1n;
      }
    }
    if (found === undefined) {
      const begins = oldest === undefined ? 'nothing of it is known' : `it begins at ${iso(oldest.atMs)}`;
      throw new ApiError(
        'Expired',
        `the history of the whole cluster does not reach back to ${iso(ms)}: ${begins}; the history of a single object may reach further (navctl history)`,
      );
    }
    const { moment, readAt } = found;
    // The version of the Lease can be read where its own revision is compacted away already.
    return { ...moment, revision: await this.#oldestReadable(moment.revision, readAt, signal) };
  }

  /** The first of the revisions from `low` to `high` that the store has. It has `high`. */
  async #oldestReadable(low: bigint, high: bigint, signal: AbortSignal): Promise<bigint> {
    if ((await this.at(low, signal)) !== undefined) return low;
    let [gone, there] = [low, high];
    while (there - gone > 1n) {
      const middle = (gone + there) / 2n;
      if ((await this.at(middle, signal)) === undefined) gone = middle;
      else there = middle;
    }
    return there;
  }

  /** The last moment before `revision`, or at it; undefined when the store does not know. */
  async at(revision: bigint, signal: AbortSignal): Promise<Moment | undefined> {
    try {
      const version = await this.#past.get(leaseKind, feedLease, revision, signal);
      // Objects of a kind are decoded with its message.
      const time = Date.parse((version?.object as Lease | undefined)?.spec?.renewTime ?? '');
      return version === undefined || Number.isNaN(time) ? undefined : { revision: version.revision, atMs: time };
    } catch (error) {
      if (isApiError(error, 'Expired')) return undefined;
      throw error;
    }
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
