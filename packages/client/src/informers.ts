import { familyOfKind, type KindDefinition } from '@navarch/kinds';
import { onAbort, systemClock } from '@navarch/kit';
import type { KubeObject } from '@navarch/machinery';
import { CachedKind } from './cached-kind.ts';
import { travelsOnFeed } from './feed-subjects.ts';
import type { Change, InformerOptions, InformerSet, Lister } from './informer-set.ts';
import { Lane } from './lane.ts';

/** Makes an informer set. It does nothing before `run`. */
export function createInformerSet(options: InformerOptions): InformerSet {
  return new Informers(options);
}

interface Waiter {
  readonly revision: bigint;
  readonly resolve: () => void;
}

class Informers implements InformerSet {
  readonly #kinds = new Map<string, CachedKind>();
  readonly #lanes: readonly Lane[];
  readonly #waiters = new Set<Waiter>();

  constructor({ api, bus, targets, logger, clock = systemClock, freeze = false }: InformerOptions) {
    for (const target of targets) {
      const name = familyOfKind(target.kind);
      if (this.#kinds.has(name)) throw new Error(`kind ${target.kind.kind} stands twice in an informer set`);
      this.#kinds.set(name, new CachedKind(target, { freeze, logger }));
    }
    if (targets.length === 0) throw new Error('an informer set needs a kind');
    const stored = targets.filter(({ kind }) => kind.storage === 'store').length;
    if (stored > 0 && stored < targets.length) {
      throw new Error(
        'kinds that are kept as events have revisions of their own: give them an informer set of their own',
      );
    }
    const kinds = [...this.#kinds.values()];
    const onFeed = bus === undefined ? [] : kinds.filter(({ kind }) => travelsOnFeed(kind));
    const onWatch = kinds.filter((kind) => !onFeed.includes(kind));
    const shared = { api, logger, clock, onMoved: () => this.#wake() };
    this.#lanes = [
      ...(onFeed.length > 0 ? [new Lane({ ...shared, kinds: onFeed, bus })] : []),
      ...(onWatch.length > 0 ? [new Lane({ ...shared, kinds: onWatch, bus: undefined })] : []),
    ];
  }

  get revision(): bigint {
    return this.#lanes.map(({ position }) => position).reduce((least, other) => (other < least ? other : least));
  }

  get source(): 'none' | 'watch' | 'feed' {
    const sources = this.#lanes.map(({ source }) => source);
    return sources.includes('none') ? 'none' : sources.includes('feed') ? 'feed' : 'watch';
  }

  lister<T extends KubeObject>(kind: KindDefinition<T>): Lister<T> {
    // The cache of a kind holds objects of its message type alone.
    return this.#cached(kind).cache as unknown as Lister<T>;
  }

  onChange<T extends KubeObject>(kind: KindDefinition<T>, handler: (change: Change<T>) => void): void {
    // As above.
    this.#cached(kind).handlers.push(handler as unknown as (change: Change<KubeObject>) => void);
  }

  synced(signal: AbortSignal): Promise<void> {
    return this.reached(1n, signal);
  }

  async reached(revision: bigint, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.revision >= revision) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { revision, resolve };
    this.#waiters.add(waiter);
    using _abort = onAbort(signal, () => reject(signal.reason));
    try {
      await promise;
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.run(signal)));
  }

  #cached(kind: Pick<KindDefinition, 'case' | 'group' | 'kind'>): CachedKind {
    const cached = this.#kinds.get(familyOfKind(kind));
    if (cached === undefined) throw new Error(`kind ${kind.kind} is not among this informer set's targets`);
    return cached;
  }

  #wake(): void {
    if (this.#waiters.size === 0) return;
    const { revision } = this;
    for (const waiter of this.#waiters) if (waiter.revision <= revision) waiter.resolve();
  }
}
