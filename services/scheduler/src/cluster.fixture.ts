/** The api's part in scheduling, in memory: objects, their Watch, and transactions of bindings and status updates. */
import type { AtomicWrite, Client, Key, WatchSource, WriteOutcome } from '@navarch/client';
import {
  type KindDefinition,
  lease as leaseKind,
  node as nodeKind,
  pod as podKind,
  podRulesLease,
  toResource,
} from '@navarch/kinds';
import { BoundedQueue } from '@navarch/kit';
import { ApiError, errorDetail, type KubeObject, keyOf, keyString, type Live } from '@navarch/machinery';
import { GetVersionResponse, type Pod, type WatchRequest, WatchResponse } from '@navarch/proto';

export class FakeCluster implements WatchSource, Pick<Client, 'get' | 'transact' | 'version'> {
  revision = 1n;
  /** Whether Pods take their time to end. */
  lingering = false;
  readonly transactions: (readonly AtomicWrite[])[] = [];
  /** Throws in place of the next transactions; `after` doing them when their outcome is to stay unknown. */
  readonly failures: { readonly error: ApiError; readonly done: boolean | 'later' }[] = [];
  /** Does what was to be done later; gives the outcomes, which nobody hears. */
  deliverLate: () => readonly WriteOutcome[] = () => [];
  #announcedAt = 0n;
  /** While true, watches tell nothing. */
  #held: (() => void)[] | undefined;
  readonly #objects = new Map<string, { kind: KindDefinition; object: KubeObject }>();
  readonly #watches = new Set<BoundedQueue<WatchResponse>>();

  put<T extends KubeObject>(kind: KindDefinition<T>, object: T): void {
    this.#tell(kind, object, this.#objects.has(id(kind, object)) ? 2 : 1);
    this.#objects.set(id(kind, object), { kind, object });
  }

  /** As `put`, but watches don't hear of it yet. */
  putUnheard<T extends KubeObject>(kind: KindDefinition<T>, object: T): void {
    this.#objects.set(id(kind, object), { kind, object });
  }

  remove<T extends KubeObject>(kind: KindDefinition<T>, object: T): void {
    this.#objects.delete(id(kind, object));
    this.#tell(kind, object, 3);
  }

  get pods(): readonly Pod[] {
    return [...this.#objects.values()].flatMap(({ kind, object }) => (kind === podKind ? [object as Pod] : []));
  }

  pod(name: string): Pod | undefined {
    return this.pods.find(({ metadata }) => metadata?.name === name);
  }

  /** Watches hear nothing until `release`. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const tell of held) tell();
  }

  /** Watches hear the oldest change that is held back, and no more. */
  releaseOne(): void {
    this.#held?.shift()?.();
  }

  async get<T extends KubeObject>(kind: KindDefinition<T>, { namespace = '', name }: Key): Promise<Live<T>> {
    const entry = this.#objects.get(`${kind.kind} ${keyString({ namespace, name })}`);
    if (entry === undefined) throw new ApiError('NotFound', `${kind.singular} "${name}" not found`);
    return entry.object as Live<T>; // kept under its kind
  }

  async transact(
    writes: readonly AtomicWrite[],
    { atomic = false }: { atomic?: boolean } = {},
  ): Promise<readonly WriteOutcome[]> {
    const failure = this.failures.shift();
    if (failure?.done === 'later') this.deliverLate = () => writes.map((write) => this.#write(write));
    if (failure && failure.done !== true) throw failure.error;
    if (atomic) refuseTwice(writes);
    this.transactions.push(writes);
    const outcomes: WriteOutcome[] = [];
    for (const write of writes) {
      const refused = atomic && outcomes.some(({ ok }) => !ok);
      outcomes.push(refused ? { ok: false, error: nobodysFault, blameless: true } : this.#write(write));
    }
    if (failure) throw failure.error;
    await Promise.resolve();
    return outcomes;
  }

  async version(): Promise<GetVersionResponse> {
    return GetVersionResponse.fromPartial({ revision: this.revision });
  }

  async *watch(_request: WatchRequest, signal: AbortSignal): AsyncIterable<WatchResponse> {
    const queue = new BoundedQueue<WatchResponse>({ capacity: 100_000, overflow: 'error', signal });
    const events = [...this.#objects.values()].map(({ kind, object }) => ({
      type: 1 as const,
      resource: { ...toResource(kind, object), revision: this.revision },
    }));
    queue.push({ revision: this.revision, initial: true, events });
    queue.push({ revision: this.revision, initial: false, events: [] });
    this.#watches.add(queue);
    for await (const response of queue) yield WatchResponse.decode(WatchResponse.encode(response).finish());
  }

  #write(write: AtomicWrite): WriteOutcome {
    try {
      if (write.type === 'bind') return this.#bind(write.binding);
      if (write.type === 'delete') return this.#delete(write);
      if (write.type === 'check') return this.#check(write);
      if (write.type === 'create') {
        this.#hear(write.kind, write.object);
        this.put(write.kind, write.object);
        return { ok: true, object: write.object, revision: this.revision };
      }
      if (write.type !== 'updateStatus' && write.type !== 'update')
        throw new ApiError('BadRequest', `no ${write.type} here`);
      const key = id(write.kind, write.object);
      if (!this.#objects.has(key)) throw new ApiError('NotFound', `no such ${write.kind.kind}`);
      this.#hear(write.kind, write.object);
      this.put(write.kind, write.object);
      return { ok: true, object: write.object, revision: this.revision };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { ok: false, error: errorDetail(error) };
    }
  }

  /** Bindings that were decided before the announcement are refused from now on. */
  #hear(kind: KindDefinition, { metadata }: KubeObject): void {
    if (kind.kind === leaseKind.kind && metadata?.name === podRulesLease.name) this.#announcedAt = this.revision + 1n;
  }

  /** A Pod ends as soon as it is asked to go, unless it takes its time. */
  #delete({ kind, key, options }: Extract<AtomicWrite, { type: 'delete' }>): WriteOutcome {
    const entry = this.#objects.get(`${kind.kind} ${keyString({ namespace: '', ...key })}`);
    if (entry === undefined || entry.object.metadata?.uid !== options?.uid)
      throw new ApiError('NotFound', `no such ${kind.kind}`);
    const { kind: own, object } = entry;
    const going = { ...object, metadata: { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    if (this.lingering) this.put(own, going as KubeObject);
    else this.remove(own, object);
    return { ok: true, object: entry.object, revision: this.revision };
  }

  #check({ kind, key, is }: Extract<AtomicWrite, { type: 'check' }>): WriteOutcome {
    const object = this.#objects.get(`${kind.kind} ${keyString({ namespace: '', ...key })}`)?.object;
    if (object === undefined || object.metadata?.uid !== is.uid) throw new ApiError('Conflict', `no such ${kind.kind}`);
    return { ok: true, object, revision: this.revision };
  }

  #bind({
    namespace,
    name,
    uid,
    nodeName,
    decidedAt,
  }: Extract<AtomicWrite, { type: 'bind' }>['binding']): WriteOutcome {
    const entry = this.#objects.get(`${podKind.kind} ${keyString({ namespace, name })}`);
    const pod = entry?.object as Live<Pod> | undefined; // kept under the Pods' kind
    if (pod?.metadata.uid !== uid) throw new ApiError('NotFound', 'no such Pod');
    if (pod.spec.nodeName !== '') throw new ApiError('Conflict', `it is on ${pod.spec.nodeName} already`);
    if (decidedAt !== 0n && decidedAt < this.#announcedAt) throw new ApiError('Conflict', 'decided before the rules');
    if (!this.#objects.has(`${nodeKind.kind} ${nodeName}`)) throw new ApiError('NotFound', 'no such node');
    const metadata = { ...pod.metadata, generation: pod.metadata.generation + 1 };
    const bound = { ...pod, metadata, spec: { ...pod.spec, nodeName } };
    this.put(podKind, bound);
    return { ok: true, object: bound, revision: this.revision };
  }

  #tell(kind: KindDefinition, object: KubeObject, type: 1 | 2 | 3): void {
    const revision = ++this.revision;
    const resource = { ...toResource(kind, object), revision };
    const tell = () => {
      for (const queue of this.#watches) queue.push({ revision, initial: false, events: [{ type, resource }] });
    };
    if (this.#held) this.#held.push(tell);
    else tell();
  }
}

const nobodysFault = { reason: 'Conflict', message: 'another write was refused', fields: [] };

/** As the api has it: an atomic transaction writes an object once. */
function refuseTwice(writes: readonly AtomicWrite[]): void {
  const names = writes.map((write) => {
    if (write.type === 'bind') return write.binding.name;
    if ('object' in write) return `${write.kind.kind} ${write.object.metadata?.name}`;
    return 'key' in write ? `${write.kind.kind} ${write.key.name}` : write.type;
  });
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new ApiError('BadRequest', `the transaction writes ${twice} twice`);
}

function id(kind: KindDefinition, object: KubeObject): string {
  return `${kind.kind} ${keyOf(object)}`;
}
