/** A cluster's history in memory, told by Watch and by feed as the api would, with faults where a test wants them. */
import { type BusMessage, type EventBus, matches } from '@navarch/bus';
import { builtinKinds, type KindDefinition, toResource } from '@navarch/kinds';
import { BoundedQueue, onAbort } from '@navarch/kit';
import { ApiError, type KubeObject, keyOf } from '@navarch/machinery';
import { ChangeBatch, FeedBookmark, type WatchRequest, WatchResponse, WatchEvent_Type } from '@navarch/proto';
import { bookmarksSubject, changesSubject, travelsOnFeed } from './feed-subjects.ts';
import { selects } from './selects.ts';
import type { WatchSource } from './watch-source.ts';

export interface Written {
  readonly kind: KindDefinition;
  readonly type: 'added' | 'modified' | 'deleted';
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
}

/** What becomes of a message on the bus. */
export type Fate = 'deliver' | 'drop' | 'double' | 'delay';

/** The store and its Watch. */
export class World implements WatchSource {
  revision = 1n;
  compacted = 0n;
  readonly history: { readonly revision: bigint; readonly writes: readonly Written[] }[] = [];
  readonly objects = new Map<KindDefinition, Map<string, { revision: bigint; object: KubeObject }>>();
  readonly #streams = new Set<() => void>();
  readonly #cuts = new Set<(error: Error) => void>();
  down = false;
  /** How many Watches are open. */
  watching = 0;

  write(...writes: { kind: KindDefinition; object: KubeObject; gone?: boolean }[]): void {
    this.revision++;
    const written = writes.flatMap(({ kind, object, gone }): Written[] => {
      const objects = this.#of(kind);
      const previous = objects.get(keyOf(object))?.object;
      if (gone) objects.delete(keyOf(object));
      else objects.set(keyOf(object), { revision: this.revision, object });
      if (gone && !previous) return [];
      return [{ kind, object, previous, type: gone ? 'deleted' : previous ? 'modified' : 'added' }];
    });
    this.history.push({ revision: this.revision, writes: written });
    for (const wake of this.#streams) wake();
  }

  /** What a cache of `kind` should hold, as `key@revision`. */
  truth(kind: KindDefinition, chosen: (object: KubeObject) => boolean = () => true): string[] {
    return [...this.#of(kind)]
      .filter(([, { object }]) => chosen(object))
      .map(([key, { revision }]) => `${key}@${revision}`)
      .sort();
  }

  /** The api tells of its revision, as it does every second. */
  tick(): void {
    for (const wake of this.#streams) wake();
  }

  /** As if the store was restored from a backup of `revision`. */
  restore(revision: bigint): void {
    const kept = this.history.filter((entry) => entry.revision <= revision);
    this.history.length = 0;
    this.objects.clear();
    this.revision = 1n;
    for (const { writes } of kept) {
      this.write(...writes.map(({ kind, object, type }) => ({ kind, object, gone: type === 'deleted' })));
    }
    this.cutWatches();
  }

  cutWatches(): void {
    for (const cut of this.#cuts) cut(new ApiError('Unavailable', 'cut'));
  }

  async *watch(request: WatchRequest, signal: AbortSignal): AsyncIterable<WatchResponse> {
    if (this.down) throw new ApiError('Unavailable', 'the api is down');
    const queue = new BoundedQueue<WatchResponse>({ capacity: 100_000, overflow: 'error', signal });
    const targets = request.targets.map((target) => {
      const kind = builtinKinds.byResource(target.resource);
      if (!kind) throw new ApiError('BadRequest', `no such kind: ${target.resource}`);
      return { kind, chosen: selects({ kind, ...target }) };
    });
    let position = request.after;
    if (position === 0n) {
      for (const { kind, chosen } of targets) {
        const events = [...this.#of(kind).values()]
          .filter(({ object }) => chosen(object))
          .map(({ object, revision }) => event('added', kind, object, revision));
        queue.push({ revision: 0n, initial: true, events });
      }
      queue.push({ revision: this.revision, initial: false, events: [] });
      position = this.revision;
    } else if (position < this.compacted || position > this.revision) throw new ApiError('Expired', 'compacted');
    const catchUp = () => {
      let silent = true;
      for (const { revision, writes } of this.history) {
        if (revision <= position) continue;
        const events = writes.flatMap((write) => {
          const target = targets.find(({ kind }) => kind === write.kind);
          if (!target) return [];
          const before = write.type !== 'added' && write.previous !== undefined && target.chosen(write.previous);
          const after = write.type !== 'deleted' && target.chosen(write.object);
          if (!before && !after) return [];
          const type = !before ? 'added' : after ? 'modified' : 'deleted';
          return [event(type, write.kind, write.object, revision)];
        });
        if (events.length > 0) queue.push({ revision, initial: false, events });
        silent &&= events.length === 0;
      }
      position = this.revision;
      if (silent) queue.push({ revision: position, initial: false, events: [] });
    };
    const cut = (error: Error) => queue.close(error);
    this.#streams.add(catchUp);
    this.#cuts.add(cut);
    this.watching++;
    try {
      catchUp();
      // As if it had come over the wire: nothing is shared.
      for await (const response of queue) yield WatchResponse.decode(WatchResponse.encode(response).finish());
    } finally {
      this.#streams.delete(catchUp);
      this.#cuts.delete(cut);
      this.watching--;
    }
  }

  #of(kind: KindDefinition) {
    const objects = this.objects.get(kind) ?? new Map<string, { revision: bigint; object: KubeObject }>();
    this.objects.set(kind, objects);
    return objects;
  }
}

const eventTypes = {
  added: WatchEvent_Type.ADDED,
  modified: WatchEvent_Type.MODIFIED,
  deleted: WatchEvent_Type.DELETED,
} as const;

function event(type: Written['type'], kind: KindDefinition, object: KubeObject, revision: bigint) {
  return { type: eventTypes[type], resource: { ...toResource(kind, object), revision } };
}

/** Tells the feed what happened since it was last asked: what the api's publisher does. */
export class Publisher {
  readonly #world: World;
  readonly #bus: LossyBus;
  #published: bigint;
  readonly #heads = new Map<string, bigint>();
  readonly #start: bigint;

  constructor(world: World, bus: LossyBus) {
    this.#world = world;
    this.#bus = bus;
    this.#published = world.revision;
    this.#start = world.revision;
  }

  publish(nextFate: () => Fate = () => 'deliver'): void {
    const previous = this.#published;
    const heads: Record<string, bigint> = {};
    for (const { revision, writes } of this.#world.history) {
      if (revision <= previous) continue;
      const bySubject = Map.groupBy(
        writes.filter(({ kind }) => travelsOnFeed(kind)),
        ({ kind, object }) => changesSubject(kind, kind.selectableFields[kind.feedField ?? '']?.(object) ?? ''),
      );
      for (const [subject, events] of bySubject) {
        const batch: ChangeBatch = {
          revision,
          previous: this.#heads.get(subject) ?? this.#start,
          events: events.map(({ type, kind, object }) => event(type, kind, object, revision)),
        };
        this.#heads.set(subject, revision);
        heads[subject] = revision;
        this.#bus.deliver(subject, ChangeBatch.encode(batch).finish(), nextFate());
      }
    }
    this.#published = this.#world.revision;
    const bookmark: FeedBookmark = { previous, revision: this.#published, heads };
    this.#bus.deliver(bookmarksSubject, FeedBookmark.encode(bookmark).finish(), nextFate());
  }
}

/** A bus that loses, doubles and delays as it is told. Only what informers use. */
export class LossyBus implements EventBus {
  #connected = true;
  readonly #listeners = new Set<(connected: boolean) => void>();
  readonly #subscriptions = new Set<{ pattern: string; queue: BoundedQueue<BusMessage> }>();
  #late: { subject: string; payload: Uint8Array }[] = [];

  get connected(): boolean {
    return this.#connected;
  }

  setConnected(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    for (const listener of this.#listeners) listener(connected);
  }

  onStatus(listener: (connected: boolean) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    onAbort(signal, () => this.#listeners.delete(listener));
  }

  subscribe(pattern: string, { signal }: { signal: AbortSignal }): AsyncIterable<BusMessage> {
    const queue = new BoundedQueue<BusMessage>({ capacity: 100_000, overflow: 'drop-oldest', signal });
    const subscription = { pattern, queue };
    this.#subscriptions.add(subscription);
    onAbort(signal, () => this.#subscriptions.delete(subscription));
    return queue;
  }

  deliver(subject: string, payload: Uint8Array, fate: Fate): void {
    if (fate === 'delay') this.#late.push({ subject, payload });
    const times = fate === 'deliver' ? 1 : fate === 'double' ? 2 : 0;
    for (let time = 0; time < times; time++) this.publish(subject, payload);
  }

  /** What was delayed comes now. */
  deliverLate(): void {
    const late = this.#late;
    this.#late = [];
    for (const { subject, payload } of late) this.publish(subject, payload);
  }

  publish(subject: string, payload: Uint8Array): boolean {
    if (!this.#connected) return false;
    for (const { pattern, queue } of this.#subscriptions) {
      if (matches(pattern, subject)) queue.push({ subject, payload, dropped: 0 });
    }
    return true;
  }

  request(): never {
    throw new Error('not part of the fixture');
  }
  respond(): never {
    throw new Error('not part of the fixture');
  }
  stream(): never {
    throw new Error('not part of the fixture');
  }
  async close(): Promise<void> {}
}
