import { Resource } from '@navarch/proto';
import type { Store, StoreEvent } from '@navarch/store';

interface KnownPod {
  readonly nodeName: string;
  /** uid of the ReplicaSet that it counts for; '' when it is no longer wanted or has ended. */
  readonly countsFor: string;
}

/**
 * Looks at every revision of the store for what must never be, however it is put right later: a Pod on a second node, or
 * more Pods for a ReplicaSet than it ever asked for, as two leaders or a forgetful one would make.
 */
export class History {
  readonly wrongs: string[] = [];
  podsMade = 0;
  readonly #pods = new Map<string, KnownPod>();
  readonly #mostReplicas = new Map<string, number>();
  readonly #life = new AbortController();
  readonly #reading: Promise<void>;

  constructor(store: Store) {
    this.#reading = this.#read(store);
  }

  async stop(): Promise<void> {
    this.#life.abort();
    await this.#reading;
  }

  async #read(store: Store): Promise<void> {
    for await (const { revision, events } of store.watch('/navarch/', { after: 0n, signal: this.#life.signal })) {
      for (const event of events) this.#see(event);
      const counts = Map.groupBy(this.#pods.values(), ({ countsFor }) => countsFor);
      for (const [uid, { length }] of counts) {
        const most = this.#mostReplicas.get(uid);
        if (most !== undefined && length > most) {
          this.wrongs.push(`${revision}: ${length} Pods of ReplicaSet ${uid}, which never asked for more than ${most}`);
        }
      }
    }
  }

  #see(event: StoreEvent): void {
    const key = event.type === 'put' ? event.entry.key : event.key;
    if (event.type === 'delete') {
      this.#pods.delete(key);
      return;
    }
    // The first byte of a value says how it is kept: here always plain.
    const { object } = Resource.decode(event.entry.value.subarray(1));
    if (object?.$case === 'replicaSet') {
      const { metadata, spec } = object.value;
      const uid = metadata?.uid ?? '';
      this.#mostReplicas.set(uid, Math.max(spec?.replicas ?? 1, this.#mostReplicas.get(uid) ?? 0));
    } else if (object?.$case === 'pod') {
      const { metadata, spec, status } = object.value;
      const nodeName = spec?.nodeName ?? '';
      if (!this.#pods.has(key)) this.podsMade += 1;
      const before = this.#pods.get(key)?.nodeName ?? '';
      if (before !== '' && before !== nodeName) this.wrongs.push(`${key} moved from ${before} to ${nodeName}`);
      const wanted = metadata?.deletionTimestamp === '' && !['Succeeded', 'Failed'].includes(status?.phase ?? '');
      const owner = metadata?.ownerReferences.find(({ controller }) => controller === true);
      this.#pods.set(key, { nodeName, countsFor: wanted ? (owner?.uid ?? '') : '' });
    }
  }
}
