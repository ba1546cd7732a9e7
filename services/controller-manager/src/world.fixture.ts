/**
 * A cluster in memory, for tests of whole controllers: writes with compare-and-swap, finalizers and graceful ends as the
 * api has them, and caches that show each revision a little later, in order.
 */
import type { Change, ClientWrite, Lister, WriteOutcome } from '@navarch/client';
import { type Controller, ControllerRunner, type EventRecorder, type RunnerInformers, Term } from '@navarch/controller';
import { type KindDefinition, namespace as namespaceKind } from '@navarch/kinds';
import { createLogger, systemClock } from '@navarch/kit';
import { ApiError, type KubeObject, keyOf, keyString, type Live } from '@navarch/machinery';
import { DeleteRequest_Propagation, Lease, Namespace } from '@navarch/proto';
import type { Hands } from './carry-out.ts';
import { metadataOf } from './ownership.ts';
import { timestamp } from './time.ts';

interface Written {
  readonly kind: KindDefinition;
  readonly change: Change<KubeObject>;
}

type Any = Live<KubeObject> & { spec?: unknown; status?: unknown };

export class World implements RunnerInformers {
  readonly events: string[] = [];
  readonly client: Hands['client'];
  readonly recorder: EventRecorder = {
    event: (_kind, object, _type, reason) => void this.events.push(`${reason} ${object.metadata?.name}`),
  };
  /** How long the caches may be behind. */
  lagMs = 3;
  /** Every write, as `create pod web-1`. */
  readonly log: string[] = [];
  readonly #truth = new Map<string, Map<string, Any>>();
  readonly #shown = new Map<string, Map<string, Any>>();
  readonly #indexes = new Map<string, Map<string, (object: Any) => readonly string[]>>();
  readonly #handlers = new Map<string, ((change: Change<KubeObject>) => void)[]>();
  readonly #life = new AbortController();
  #written = 1n;
  #visible = 1n;
  #moved = Promise.withResolvers<void>();
  #uid = 0;
  #delivery: Promise<void> = Promise.resolve();
  readonly #running: Promise<void>[] = [];

  constructor() {
    this.client = {
      get: async (kind, { namespace = '', name }) => {
        const object = this.#of(this.#truth, kind).get(keyString({ namespace, name }));
        if (object === undefined) throw new ApiError('NotFound', name);
        return object as never; // of the kind that was asked for
      },
      list: async (kind, options) => ({ revision: this.#written, items: this.all(kind, options?.namespace) as never }),
      transact: async (writes) => this.#transact(writes),
    };
  }

  get revision(): bigint {
    return this.#visible;
  }

  /** What is really there. */
  all<T extends KubeObject>(kind: KindDefinition<T>, namespace?: string): Live<T>[] {
    const objects = [...this.#of(this.#truth, kind).values()];
    return objects.filter(
      ({ metadata }) => namespace === undefined || metadata?.namespace === namespace,
    ) as unknown as Live<T>[]; // of the kind
  }

  /** A user's or an agent's write. Throws what the api refuses. */
  async write(...writes: ClientWrite[]): Promise<void> {
    for (const outcome of this.#transact(writes))
      if (!outcome.ok) throw new ApiError('Conflict', outcome.error.message);
  }

  run(controller: Controller): void {
    const logger = createLogger({ name: 'world', level: 'silent' });
    const runner = new ControllerRunner({ controller, informers: this, logger, backoff: { baseMs: 1, maxMs: 20 } });
    this.#running.push(runner.run(this.term()));
  }

  /** A leader's time in office, until the end. */
  term(): Term {
    const held = Lease.fromPartial({
      metadata: { name: 'l', namespace: 'n', resourceVersion: '1' },
      spec: { holderIdentity: 'me' },
    });
    // Metadata and spec are given.
    const term = new Term({
      lease: held as Live<typeof held>,
      sentMs: systemClock.monotonicMs(),
      identity: 'me',
      deadlineMs: 1e9,
      clock: systemClock,
    });
    this.#life.signal.addEventListener('abort', () => term.end('the test is over'));
    return term;
  }

  async end(): Promise<void> {
    this.#life.abort();
    await Promise.all(this.#running);
  }

  lister<T extends KubeObject>(kind: KindDefinition<T>): Lister<T> {
    const objects = this.#of(this.#shown, kind);
    const indexes = this.#indexes.get(nameOf(kind)) ?? new Map<string, (object: Any) => readonly string[]>();
    this.#indexes.set(nameOf(kind), indexes);
    const list = (namespace?: string) =>
      [...objects.values()].filter(({ metadata }) => namespace === undefined || metadata?.namespace === namespace);
    const lister: Lister<KubeObject> = {
      get: (key) => objects.get(typeof key === 'string' ? key : keyString(key)),
      list,
      byIndex: (index, value) => list().filter((object) => indexes.get(index)?.(object).includes(value)),
      addIndex: (index, keys) => void indexes.set(index, keys),
    };
    return lister as unknown as Lister<T>; // a kind's objects are of its message type
  }

  onChange<T extends KubeObject>(kind: KindDefinition<T>, handler: (change: Change<T>) => void): void {
    const handlers = this.#handlers.get(nameOf(kind)) ?? [];
    handlers.push(handler as unknown as (change: Change<KubeObject>) => void); // as above
    this.#handlers.set(nameOf(kind), handlers);
  }

  async reached(revision: bigint, signal: AbortSignal): Promise<void> {
    while (this.#visible < revision) {
      signal.throwIfAborted();
      await this.#moved.promise;
    }
  }

  #transact(writes: readonly ClientWrite[]): readonly WriteOutcome[] {
    const revision = this.#written + 1n;
    const written: Written[] = [];
    const outcomes = writes.map((write): WriteOutcome => {
      const result = this.#apply(write, revision, written);
      if (typeof result === 'string')
        return { ok: false, error: { reason: result, message: `${result}: ${describe(write)}`, fields: [] } };
      this.log.push(describe(write));
      return { ok: true, object: result, revision };
    });
    if (written.length > 0) {
      this.#written = revision;
      this.#deliver(revision, written);
    }
    return outcomes;
  }

  #apply(write: ClientWrite, revision: bigint, written: Written[]): Any | string {
    if (write.type === 'bind' || write.type === 'patch') return 'Unimplemented';
    const { kind } = write;
    const objects = this.#of(this.#truth, kind);
    const put = (object: Any, previous: Any | undefined): Any => {
      const next = structuredClone({
        ...object,
        metadata: { ...metadataOf(object), resourceVersion: String(revision) },
      });
      const over =
        metadataOf(next).deletionTimestamp !== '' &&
        metadataOf(next).deletionGracePeriodSeconds === 0 &&
        finalizersOf(kind, next).length === 0;
      // What changes nothing is no write.
      if (!over && previous !== undefined && sameBut(next, previous)) return previous;
      if (over) objects.delete(keyOf(next));
      else objects.set(keyOf(next), next);
      if (over && previous !== undefined) written.push({ kind, change: { type: 'deleted', object: next } });
      else
        written.push({
          kind,
          change:
            previous === undefined ? { type: 'added', object: next } : { type: 'modified', object: next, previous },
        });
      return next;
    };
    if (write.type === 'create') {
      const metadata = metadataOf(write.object);
      if (objects.has(keyOf(write.object))) return 'AlreadyExists';
      const made = {
        ...metadata,
        uid: `u${++this.#uid}`,
        generation: 1,
        creationTimestamp: timestamp(Date.now() + this.#uid * 1000),
      };
      const status = kind.hasStatus ? { status: (kind.message.fromJSON({ status: {} }) as Any).status } : {};
      return put({ ...(write.object as Any), ...status, metadata: made }, undefined);
    }
    const key = write.type === 'delete' ? keyString({ namespace: '', ...write.key }) : keyOf(write.object);
    const present = objects.get(key);
    if (present === undefined) return 'NotFound';
    const metadata = metadataOf(present);
    if (write.type === 'delete') {
      const { uid, resourceVersion, gracePeriodSeconds, propagation } = write.options ?? {};
      if (
        (uid ?? metadata.uid) !== metadata.uid ||
        (resourceVersion ?? metadata.resourceVersion) !== metadata.resourceVersion
      )
        return 'Conflict';
      const usual = kind.gracePeriodSeconds?.(present) ?? 0;
      const finalizers =
        propagation === DeleteRequest_Propagation.FOREGROUND
          ? [...metadata.finalizers, 'foregroundDeletion']
          : metadata.finalizers;
      const deletionTimestamp = metadata.deletionTimestamp || timestamp(Date.now());
      return put(
        {
          ...present,
          metadata: {
            ...metadata,
            finalizers,
            deletionTimestamp,
            deletionGracePeriodSeconds: usual === 0 ? 0 : (gracePeriodSeconds ?? usual),
          },
        },
        present,
      );
    }
    const wanted = metadataOf(write.object);
    if (wanted.resourceVersion !== '' && wanted.resourceVersion !== metadata.resourceVersion) return 'Conflict';
    const object = write.object as Any; // it has what its kind has
    if (write.type === 'updateStatus') return put({ ...present, status: object.status }, present);
    const generation = metadata.generation + (JSON.stringify(object.spec) === JSON.stringify(present.spec) ? 0 : 1);
    const { uid, deletionTimestamp, creationTimestamp, deletionGracePeriodSeconds } = metadata;
    const kept = { ...wanted, uid, deletionTimestamp, creationTimestamp, deletionGracePeriodSeconds, generation };
    return put({ ...object, ...(kind.hasStatus && { status: present.status }), metadata: kept }, present);
  }

  #deliver(revision: bigint, written: readonly Written[]): void {
    this.#delivery = this.#delivery.then(async () => {
      await systemClock.sleep(this.lagMs);
      for (const { kind, change } of written) {
        const shown = this.#of(this.#shown, kind);
        if (change.type === 'deleted') shown.delete(keyOf(change.object));
        else shown.set(keyOf(change.object), change.object);
      }
      this.#visible = revision;
      for (const { kind, change } of written)
        for (const handler of this.#handlers.get(nameOf(kind)) ?? []) handler(change);
      this.#moved.resolve();
      this.#moved = Promise.withResolvers<void>();
    });
  }

  #of(state: Map<string, Map<string, Any>>, kind: object): Map<string, Any> {
    const present = state.get(nameOf(kind)) ?? new Map<string, Any>();
    state.set(nameOf(kind), present);
    return present;
  }
}

function sameBut(next: Any, previous: Any): boolean {
  const text = (object: Any) => JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: '' } });
  return text(next) === text(previous);
}

function nameOf(kind: object): string {
  return (kind as KindDefinition).case; // kinds of every message type have one
}

function finalizersOf(kind: KindDefinition, object: Any): readonly string[] {
  const own = kind.case === namespaceKind.case ? ((object as Namespace).spec?.finalizers ?? []) : []; // the kind says what it is
  return [...metadataOf(object).finalizers, ...own];
}

function describe(write: ClientWrite): string {
  if (write.type === 'bind') return 'bind';
  return `${write.type} ${write.kind.singular} ${'object' in write ? write.object.metadata?.name : write.key.name}`;
}
