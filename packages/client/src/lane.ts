import type { EventBus } from '@navarch/bus';
import { familyOf, familyOfKind } from '@navarch/kinds';
import { Backoff, type Clock, type Logger, linkSignals, retry } from '@navarch/kit';
import { ApiError, isApiError, type KubeObject } from '@navarch/machinery';
import { Form, type Resource, type WatchEvent, type WatchRequest } from '@navarch/proto';
import type { CachedKind } from './cached-kind.ts';
import { FeedReader } from './feed-reader.ts';
import type { Change } from './informer-set.ts';
import { Watchdog } from './watchdog.ts';
import type { WatchSource } from './watch-source.ts';

/** A Watch that says nothing for this long, though it should every second, is taken for dead. */
const watchSilenceMs = 15_000;

export interface LaneOptions {
  readonly kinds: readonly CachedKind[];
  readonly api: WatchSource;
  /** Undefined for kinds that never travel on the bus. */
  readonly bus: EventBus | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called after each move of `position`. */
  readonly onMoved: () => void;
}

/**
 * Keeps several kinds at one position: by gRPC Watch, and by the feed instead for as long as that leads on from the
 * position without a hole. Both only ever bring whole revisions in order, so that whatever lies at or behind the position
 * is known and can be skipped.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #kinds: ReadonlyMap<string, CachedKind>;
  readonly #feed: FeedReader | undefined;
  #position = 0n;
  #source: 'none' | 'watch' | 'feed' = 'none';
  #mustList = true;
  /** Ends the Watch that is open. */
  #endWatch: (() => void) | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#kinds = new Map(options.kinds.map((kind) => [familyOfKind(kind.kind), kind]));
    const { bus, clock, logger } = options;
    if (!bus) return;
    const targets = options.kinds.map(({ target }) => target);
    this.#feed = new FeedReader({ bus, clock, logger, targets, onNews: () => this.#takeFeed() });
  }

  /** Everything up to and with this revision is in the caches; 0n before they were filled. */
  get position(): bigint {
    return this.#position;
  }

  get source(): 'none' | 'watch' | 'feed' {
    return this.#source;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const listening = this.#feed?.listen(signal);
    const backoff = new Backoff({ baseMs: 100, maxMs: 5_000, jitter: 0.5 });
    const onError = (error: unknown, delayMs: number) => {
      this.#source = 'none';
      logger.warn({ err: error, delayMs }, 'watching the api failed; trying again');
    };
    try {
      while (!signal.aborted) {
        await retry((signal) => this.#watch(signal, backoff), { backoff, signal, clock, onError });
        const reason = await this.#feed?.failed(signal);
        this.#source = 'none';
        if (!signal.aborted) logger.info({ reason, position: this.#position }, 'the change feed does not lead on');
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#source = 'none';
      await listening;
    }
  }

  /** Watches until the feed leads on. */
  async #watch(signal: AbortSignal, backoff: Backoff): Promise<void> {
    const { api, clock, kinds } = this.#options;
    const link = linkSignals(signal);
    using silence = new Watchdog(clock, watchSilenceMs, () =>
      link.abort(new ApiError('Unavailable', `the api's Watch has been silent for ${watchSilenceMs} ms`)),
    );
    this.#endWatch = () => link.abort();
    const request: WatchRequest = {
      after: this.#mustList ? 0n : this.#position,
      targets: kinds.map(({ target: { kind, namespace = '', labelSelector = '', fieldSelector = '' } }) => {
        return { resource: kind.resource, namespace, labelSelector, fieldSelector };
      }),
      form: Form.FULL,
    };
    const beginning: Resource[] = [];
    try {
      for await (const { initial, revision, events } of api.watch(request, link.signal)) {
        if (this.#source === 'feed') return;
        silence.reset();
        backoff.reset();
        this.#source = 'watch';
        if (initial) beginning.push(...events.flatMap(({ resource }) => resource ?? []));
        else if (this.#mustList) this.#replace(revision, beginning);
        else this.#apply(revision, events);
        if (this.#takeFeed()) return;
      }
      if (this.#source === 'feed' || signal.aborted) return;
      throw link.signal.aborted ? link.signal.reason : new ApiError('Unavailable', 'the api ended the Watch');
    } catch (error) {
      // The loop is left with an error of its own making when the feed has taken over meanwhile.
      if (this.#source === 'feed') return;
      if (isApiError(error, 'Expired')) this.#mustList = true;
      throw error;
    } finally {
      this.#endWatch = undefined;
      link.abort();
    }
  }

  /** Goes as far as the feed leads; true when the feed is in step with the position. */
  #takeFeed(): boolean {
    // Without a position that history leads on from, only a list helps.
    if (this.#mustList || !this.#feed) return false;
    const step = this.#feed.next(this.#position);
    if (!step) return false;
    for (const { revision, events } of step.changes) this.#apply(revision, events);
    this.#apply(step.revision, []);
    if (this.#source !== 'feed') {
      this.#options.logger.debug({ position: this.#position }, 'the change feed leads on');
      this.#source = 'feed';
      this.#endWatch?.();
    }
    return true;
  }

  #apply(revision: bigint, events: readonly WatchEvent[]): void {
    if (revision <= this.#position) return;
    const changes = events.flatMap((event): Told[] => {
      const kind = event.resource && this.#kinds.get(familyOf(event.resource));
      const change = kind?.apply(event);
      return kind && change ? [{ kind, change }] : [];
    });
    this.#moveTo(revision, changes);
  }

  #replace(revision: bigint, resources: readonly Resource[]): void {
    const byCase = Map.groupBy(resources, familyOf);
    const changes = [...this.#kinds].flatMap(([name, kind]) =>
      kind.replace(byCase.get(name) ?? []).map((change): Told => ({ kind, change })),
    );
    this.#mustList = false;
    // A store that was restored from a backup goes on from an older revision: what the feed told is no longer true.
    if (revision < this.#position) this.#feed?.forget();
    this.#moveTo(revision, changes);
  }

  #moveTo(revision: bigint, changes: readonly Told[]): void {
    this.#position = revision;
    for (const { kind, change } of changes) kind.tell(change);
    this.#options.onMoved();
  }
}

interface Told {
  readonly kind: CachedKind;
  readonly change: Change<KubeObject>;
}
