import { backoffDelayMs, type BackoffOptions, type Clock, onAbort } from '@navarch/kit';
import type { ClusterEvent } from './filters.ts';
import { mayHelp } from './schedule.ts';
import type { PodInfo } from './pod-info.ts';

export type QueueName = 'active' | 'backoff' | 'unschedulable';

/** What can wait here: a Pod, or a group of Pods that is decided on as one. */
export type Queueable = Pick<PodInfo, 'key' | 'uid' | 'priority' | 'generation'>;

/** Something that waits for its turn. */
export interface Queued<T extends Queueable> {
  readonly info: T;
  /** How often it was tried before. */
  readonly attempts: number;
  /** When it came, on the monotonic clock. */
  readonly sinceMs: number;
}

/** A Pod that waits for a node. */
export type QueuedPod = Queued<PodInfo>;

interface Entry<T> {
  info: T;
  readonly sinceMs: number;
  attempts: number;
  /** When the last attempt ended. */
  triedMs: number;
  place: QueueName | 'taken';
  /** While unschedulable: the filters that rejected it. */
  filters: ReadonlySet<string>;
  timer: Disposable | undefined;
  /** How many cluster events there had been when it was taken. */
  takenAt: number;
}

const usualBackoff = { baseMs: 1_000, maxMs: 10_000, jitter: 0.1 };
/** How often a Pod that others beat to its room is tried without a pause. */
const mostAtOnce = 5;
/** After this long an unschedulable Pod is tried again even if nothing seems to have helped. */
const unschedulableMs = 60_000;
/** How many cluster events are remembered for Pods that were being decided on when they came. */
const rememberedEvents = 4_096;

/**
 * The Pods without a node: those to be tried now, the important ones
 * first and then in the order in which they came; those that failed and wait for a while;
 * and those that no node can have, which wait for something to happen that may help. One Pod is never taken twice at once.
 */
export class SchedulingQueue<T extends Queueable = PodInfo> {
  readonly #clock: Clock;
  readonly #backoff: BackoffOptions;
  readonly #alongside: Pick<SchedulingQueue, 'happened'> | undefined;
  readonly #entries = new Map<string, Entry<T>>();
  /** By priority, in the order in which they came. */
  readonly #active = new Map<number, Set<string>>();
  /** The unschedulable ones by what rejected them: what happens is held against each group once. */
  readonly #rejected = new Map<string, { readonly filters: ReadonlySet<string>; readonly entries: Set<Entry<T>> }>();
  readonly #sizes = { active: 0, backoff: 0, unschedulable: 0 };
  #events: ClusterEvent[] = [];
  #eventCount = 0;
  #wake: (() => void) | undefined;
  #nudged = false;

  /** `alongside` hears of all that happens as well. */
  constructor(options: {
    readonly clock: Clock;
    readonly random?: () => number;
    readonly backoff?: BackoffOptions;
    readonly alongside?: Pick<SchedulingQueue, 'happened'>;
  }) {
    const { clock, random = Math.random, backoff = usualBackoff, alongside } = options;
    this.#clock = clock;
    this.#backoff = { ...backoff, random };
    this.#alongside = alongside;
  }

  get sizes(): Readonly<Record<QueueName, number>> {
    return this.#sizes;
  }

  /** A Pod without a node was seen: new, or changed. Only a changed spec brings one that waits back at once. */
  add(info: T): void {
    const entry = this.#entries.get(info.key);
    if (entry === undefined || entry.info.uid !== info.uid) {
      this.remove(info.key);
      const nowMs = this.#clock.monotonicMs();
      const fresh: Entry<T> = {
        info,
        sinceMs: nowMs,
        attempts: 0,
        triedMs: nowMs,
        place: 'taken',
        filters: new Set(),
        timer: undefined,
        takenAt: this.#eventCount,
      };
      this.#entries.set(info.key, fresh);
      this.#move(fresh, 'active');
      return;
    }
    const changed = entry.info.generation !== info.generation;
    entry.info = info;
    if (changed && entry.place === 'unschedulable') this.#retry(entry);
  }

  /** Where the Pod waits; `taken` while it is being decided on, undefined when it needs nothing. */
  whereabouts(key: string): QueueName | 'taken' | undefined {
    return this.#entries.get(key)?.place;
  }

  /** A newer state of a Pod that may be here. */
  refresh(info: T): void {
    const entry = this.#entries.get(info.key);
    if (entry?.info.uid === info.uid) entry.info = info;
  }

  /** The Pod needs no node any more: it has one, or is gone. */
  remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#leave(entry);
    this.#entries.delete(key);
  }

  /** Resolves when there is a Pod to be tried now, at a nudge, or when `signal` aborts. */
  async waiting(signal: AbortSignal): Promise<void> {
    while (this.#sizes.active === 0 && !this.#nudged && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      using _abort = onAbort(signal, resolve);
      await promise;
      this.#wake = undefined;
    }
    this.#nudged = false;
  }

  /** Who is waiting here, or comes to wait next, has something else to look at. */
  nudge(): void {
    this.#nudged = true;
    this.#wake?.();
  }

  /** Up to `max` Pods that are to be tried now. */
  take(max: number): readonly Queued<T>[] {
    const taken: Queued<T>[] = [];
    for (const priority of [...this.#active.keys()].sort((one, other) => other - one)) {
      for (const key of this.#active.get(priority) ?? []) {
        if (taken.length === max) return taken;
        const entry = this.#entries.get(key);
        if (entry === undefined) continue;
        taken.push(this.#takeEntry(entry));
      }
    }
    return taken;
  }

  /** The one of that key, when it is to be tried now or after a while. */
  claim(key: string): Queued<T> | undefined {
    const entry = this.#entries.get(key);
    return entry?.place === 'active' || entry?.place === 'backoff' ? this.#takeEntry(entry) : undefined;
  }

  /** An attempt failed for a reason that lies outside the cluster's state: try again after a while. */
  failed({ key, uid }: Queueable): void {
    const entry = this.#taken(key, uid);
    if (entry === undefined) return;
    this.#tried(entry);
    this.#retry(entry);
  }

  /** Others were faster. It is tried again at once a few times, since they can't be so for ever, and then after a while. */
  beaten({ key, uid }: Queueable): void {
    const entry = this.#taken(key, uid);
    if (entry === undefined) return;
    this.#tried(entry);
    if (entry.attempts <= mostAtOnce) this.#move(entry, 'active');
    else this.#retry(entry);
  }

  /** What it waits for is there: it is tried now. */
  hurry(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.place === 'backoff' || entry?.place === 'unschedulable') this.#move(entry, 'active');
  }

  /** What would have helped a Pod that no node can have came to nothing: look again after a while. */
  tryAgain({ key, uid }: Queueable): void {
    const entry = this.#entries.get(key);
    if (entry?.info.uid === uid && entry.place === 'unschedulable') this.#retry(entry);
  }

  /** No node can have the Pod: wait for something to happen that may lift what `filters` said. */
  unschedulable({ key, uid }: Queueable, filters: ReadonlySet<string>): void {
    const entry = this.#taken(key, uid);
    if (entry === undefined) return;
    this.#tried(entry);
    entry.filters = filters;
    // What happened while it was being decided on was not in the snapshot.
    if (this.#helpedSince(entry.takenAt, filters)) this.#retry(entry);
    else this.#move(entry, 'unschedulable');
  }

  /** Something happened: those whom it may help are tried again. */
  happened(event: ClusterEvent): void {
    this.#alongside?.happened(event);
    this.#eventCount++;
    this.#events.push(event);
    if (this.#events.length >= 2 * rememberedEvents) this.#events = this.#events.slice(-rememberedEvents);
    for (const { filters, entries } of this.#rejected.values()) {
      if (mayHelp(event, filters)) for (const entry of entries) this.#retry(entry);
    }
  }

  #takeEntry(entry: Entry<T>): Queued<T> {
    this.#move(entry, 'taken');
    entry.takenAt = this.#eventCount;
    return { info: entry.info, attempts: entry.attempts, sinceMs: entry.sinceMs };
  }

  #helpedSince(eventCount: number, filters: ReadonlySet<string>): boolean {
    const missed = this.#eventCount - eventCount;
    if (missed > this.#events.length) return true;
    return this.#events.slice(this.#events.length - missed).some((event) => mayHelp(event, filters));
  }

  #taken(key: string, uid: string): Entry<T> | undefined {
    const entry = this.#entries.get(key);
    return entry?.place === 'taken' && entry.info.uid === uid ? entry : undefined;
  }

  #tried(entry: Entry<T>): void {
    entry.attempts++;
    entry.triedMs = this.#clock.monotonicMs();
  }

  /** To the active ones, as soon as enough time has passed since the last attempt. */
  #retry(entry: Entry<T>): void {
    const delayMs = entry.attempts === 0 ? 0 : backoffDelayMs(entry.attempts - 1, this.#backoff);
    const remainingMs = entry.triedMs + delayMs - this.#clock.monotonicMs();
    if (remainingMs <= 0) this.#move(entry, 'active');
    else this.#move(entry, 'backoff', remainingMs);
  }

  #move(entry: Entry<T>, place: Entry<T>['place'], waitMs = unschedulableMs): void {
    this.#leave(entry);
    entry.place = place;
    if (place === 'taken') return;
    this.#sizes[place]++;
    if (place === 'unschedulable') this.#groupOf(entry).entries.add(entry);
    if (place === 'active') {
      const { priority, key } = entry.info;
      const equals = this.#active.get(priority) ?? new Set<string>();
      this.#active.set(priority, equals.add(key));
      this.#wake?.();
    } else {
      entry.timer = this.#clock.timer(waitMs, () => this.#move(entry, 'active'));
    }
  }

  #leave(entry: Entry<T>): void {
    entry.timer?.[Symbol.dispose]();
    entry.timer = undefined;
    const { priority, key } = entry.info;
    const equals = this.#active.get(priority);
    equals?.delete(key);
    if (equals?.size === 0) this.#active.delete(priority);
    if (entry.place !== 'taken') this.#sizes[entry.place]--;
    if (entry.place === 'unschedulable') {
      const { entries } = this.#groupOf(entry);
      entries.delete(entry);
      if (entries.size === 0) this.#rejected.delete(keyOf(entry.filters));
    }
    entry.place = 'taken';
  }

  #groupOf({ filters }: Entry<T>) {
    const key = keyOf(filters);
    const group = this.#rejected.get(key) ?? { filters, entries: new Set<Entry<T>>() };
    this.#rejected.set(key, group);
    return group;
  }
}

function keyOf(filters: ReadonlySet<string>): string {
  return [...filters].sort().join();
}
