/** The few calls of the api that elections and events use, on a map. */
import type { ClientWrite, WriteOutcome } from '@navarch/client';
import type { KindDefinition } from '@navarch/kinds';
import { BoundedQueue } from '@navarch/kit';
import { ApiError, type KubeObject, keyOf, keyString, type Live } from '@navarch/machinery';
import { type Lease, ObjectMeta } from '@navarch/proto';
import type { LeaseClient } from './leader-elector.ts';

export class FakeApi {
  readonly objects = new Map<string, KubeObject>();
  readonly transactions: (readonly ClientWrite[])[] = [];
  revision = 0;
  /** Calls fail without effect. */
  down = false;
  /** The next write is done, but its answer is lost. */
  loseNextAnswer = false;
  #watchers = new Set<BoundedQueue<{ revision: bigint; initial: boolean; events: never[] }>>();

  // What elections need is typed by kind; the fake holds whatever it is given.
  asLeaseClient(): LeaseClient {
    return this as unknown as LeaseClient;
  }

  lease(name: string): Live<Lease> | undefined {
    return this.objects.get(`navarch-system/${name}`) as Live<Lease> | undefined;
  }

  async get(_kind: KindDefinition, key: { namespace: string; name: string }): Promise<KubeObject> {
    this.#check();
    const found = this.objects.get(keyString(key));
    if (!found) throw new ApiError('NotFound', `${key.name} not found`);
    return structuredClone(found);
  }

  async create(_kind: KindDefinition, object: KubeObject): Promise<KubeObject> {
    this.#check();
    if (this.objects.has(keyOf(object))) throw new ApiError('AlreadyExists', `${keyOf(object)} exists`);
    return this.#put(object);
  }

  async update(_kind: KindDefinition, object: KubeObject): Promise<KubeObject> {
    this.#check();
    const current = this.objects.get(keyOf(object));
    if (!current) throw new ApiError('NotFound', `${keyOf(object)} not found`);
    const version = object.metadata?.resourceVersion ?? '';
    if (version !== '' && version !== current.metadata?.resourceVersion) throw new ApiError('Conflict', 'stale');
    return this.#put(object);
  }

  async transact(writes: readonly ClientWrite[]): Promise<readonly WriteOutcome[]> {
    this.#check();
    this.transactions.push(writes);
    return await Promise.all(
      writes.map(async (write): Promise<WriteOutcome> => {
        try {
          if (write.type !== 'create' && write.type !== 'update') throw new Error('not part of the fake');
          const object = await this[write.type](write.kind, write.object);
          return { ok: true, object, revision: BigInt(this.revision) };
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          return { ok: false, error: { reason: error.reason, message: error.message, fields: [] } };
        }
      }),
    );
  }

  delete(key: string): void {
    this.objects.delete(key);
    this.revision++;
  }

  watch(_kind: KindDefinition, { signal }: { signal: AbortSignal }) {
    const queue = new BoundedQueue<{ revision: bigint; initial: boolean; events: never[] }>({
      capacity: 100,
      overflow: 'drop-oldest',
      signal,
    });
    this.#watchers.add(queue);
    return queue;
  }

  #check(): void {
    if (this.down) throw new ApiError('Unavailable', 'the api is down');
  }

  #put(object: KubeObject): KubeObject {
    const uid = this.objects.get(keyOf(object))?.metadata?.uid ?? `uid-${this.revision}`;
    const resourceVersion = String(++this.revision);
    const metadata = ObjectMeta.fromPartial({ ...object.metadata, uid, resourceVersion });
    const copy: KubeObject = { ...structuredClone(object), metadata };
    this.objects.set(keyOf(copy), copy);
    for (const queue of this.#watchers)
      queue.push({ revision: BigInt(this.revision), initial: false, events: [null as never] });
    if (this.loseNextAnswer) {
      this.loseNextAnswer = false;
      throw new ApiError('Unavailable', 'the answer was lost');
    }
    return structuredClone(copy);
  }
}
