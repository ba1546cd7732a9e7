/**
 * A cluster in memory, for tests of whole controllers: writes with compare-and-swap, finalizers and graceful ends as the
 * api has them, and caches that show each revision a little later, in order.
 */
import type { Change, ClientWrite, Lister, WriteOutcome } from '@navarch/client';
import { type Controller, ControllerRunner, type EventRecorder, type RunnerInformers, Term } from '@navarch/controller';
import type { KindDefinition } from '@navarch/kinds';
import { createLogger, systemClock } from '@navarch/kit';
import { ApiError, type KubeObject, keyOf, keyString, type Live } from '@navarch/machinery';
import { type Fence, Lease } from '@navarch/proto';
import type { Hands } from './carry-out.ts';
import { type AnyObject, nameOf, ObjectsInMemory, type Written } from './objects-in-memory.fixture.ts';

export class World implements RunnerInformers {
  readonly events: string[] = [];
  readonly client: Hands['client'];
  readonly recorder: EventRecorder = {
    event: (_kind, object, _type, reason) => void this.events.push(`${reason} ${object.metadata?.name}`),
  };
  /** How long the caches may be behind. */
  lagMs = 3;
  readonly #objects = new ObjectsInMemory(() => Date.now());
  readonly #shown = new Map<string, Map<string, AnyObject>>();
  readonly #indexes = new Map<string, Map<string, (object: AnyObject) => readonly string[]>>();
  readonly #handlers = new Map<string, ((change: Change<KubeObject>) => void)[]>();
  readonly #life = new AbortController();
  readonly #terms: Term[] = [];
  readonly #onWrite: (() => void)[] = [];
  #visible = 1n;
  #moved = Promise.withResolvers<void>();
  #delivery: Promise<void> = Promise.resolve();
  readonly #running: Promise<void>[] = [];

  constructor() {
    this.client = {
      get: async (kind, { namespace = '', name }) => {
        const object = this.#objects.get(kind, name, namespace);
        if (object === undefined) throw new ApiError('NotFound', name);
        return object;
      },
      list: async (kind, options) => ({
        revision: this.#objects.revision,
        items: this.all(kind, options?.namespace) as never,
      }),
      transact: async (writes, options) =>
        this.#fenced(writes, options?.fence) ?? this.#transact(writes, options?.atomic),
    };
  }

  /** Every write, as `create pod web-1`. */
  get log(): readonly string[] {
    return this.#objects.log;
  }

  get revision(): bigint {
    return this.#visible;
  }

  /** What is really there. */
  all<T extends KubeObject>(kind: KindDefinition<T>, namespace?: string): Live<T>[] {
    return this.#objects.all(kind, namespace);
  }

  /** A user's or an agent's write. Throws what the api refuses. */
  async write(...writes: ClientWrite[]): Promise<void> {
    for (const outcome of this.#transact(writes))
      if (!outcome.ok) throw new ApiError('Conflict', outcome.error.message);
  }

  /** Called after each call that wrote something. */
  onWrite(look: () => void): void {
    this.#onWrite.push(look);
  }

  run(controller: Controller, term: Term = this.term()): void {
    const logger = createLogger({ name: 'world', level: 'silent' });
    const runner = new ControllerRunner({ controller, informers: this, logger, backoff: { baseMs: 1, maxMs: 20 } });
    this.#running.push(runner.run(term));
  }

  /** A new leader, whose predecessor's writes are refused from now on, and who acts once the caches show all of them. */
  elect(): Term {
    const term = this.term({ leaseTransitions: this.#terms.length + 1, revision: this.#objects.revision });
    this.#terms.push(term);
    return term;
  }

  /** A leader's time in office, until the end. */
  term({ leaseTransitions = 0, revision = 1n } = {}): Term {
    const held = Lease.fromPartial({
      metadata: { name: 'l', namespace: 'n', resourceVersion: String(revision) },
      spec: { holderIdentity: 'me', leaseTransitions },
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
    const objects = this.#shownOf(kind);
    const indexes = this.#indexes.get(nameOf(kind)) ?? new Map<string, (object: AnyObject) => readonly string[]>();
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

  /** What a leader is told that another has followed; undefined for everybody else. */
  #fenced(writes: readonly ClientWrite[], fence: Fence | undefined): readonly WriteOutcome[] | undefined {
    if (fence === undefined || fence.transitions === 0 || fence.transitions === this.#terms.length) return undefined;
    return writes.map(() => ({ ok: false, error: { reason: 'Fenced', message: 'another leads', fields: [] } }));
  }

  #transact(writes: readonly ClientWrite[], atomic = false): readonly WriteOutcome[] {
    const { outcomes, written } = this.#objects.transact(writes, atomic);
    if (written.length > 0) {
      this.#deliver(this.#objects.revision, written);
      for (const look of this.#onWrite) look();
    }
    return outcomes;
  }

  #deliver(revision: bigint, written: readonly Written[]): void {
    this.#delivery = this.#delivery.then(async () => {
      await systemClock.sleep(this.lagMs);
      for (const { kind, change } of written) {
        const shown = this.#shownOf(kind);
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

  #shownOf(kind: object): Map<string, AnyObject> {
    const present = this.#shown.get(nameOf(kind)) ?? new Map<string, AnyObject>();
    this.#shown.set(nameOf(kind), present);
    return present;
  }
}
