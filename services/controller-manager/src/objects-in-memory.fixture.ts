/**
 * Objects of all kinds in a map, for tests: writes with compare-and-swap, generations, finalizers and graceful ends as the
 * api has them, all at once and by a clock of the test's own. Owners' deaths and the scheduler are for the test to play.
 */
import type { Change, ClientWrite, WriteOutcome } from '@navarch/client';
import { type KindDefinition, namespace as namespaceKind } from '@navarch/kinds';
import { type KubeObject, keyOf, keyString, type Live } from '@navarch/machinery';
import { DeleteRequest_Propagation, type Namespace } from '@navarch/proto';
import { metadataOf } from './ownership.ts';
import { timestamp } from './time.ts';

export interface Written {
  readonly kind: KindDefinition;
  readonly change: Change<KubeObject>;
}

/** An object of a kind that the reader doesn't know. */
export type AnyObject = Live<KubeObject> & { spec?: unknown; status?: unknown };

export class ObjectsInMemory {
  /** Every write that was done, as `create pod web-1`. */
  readonly log: string[] = [];
  /** Of the last write that changed something. */
  revision = 1n;
  readonly #now: () => number;
  #objects = new Map<string, Map<string, AnyObject>>();
  #uid = 0;

  /** `now` gives milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  all<T extends KubeObject>(kind: KindDefinition<T>, namespace?: string): Live<T>[] {
    const objects = [...this.#of(kind).values()];
    return objects.filter(
      ({ metadata }) => namespace === undefined || metadata?.namespace === namespace,
    ) as unknown as Live<T>[]; // of the kind
  }

  get<T extends KubeObject>(kind: KindDefinition<T>, name: string, namespace = 'default'): Live<T> | undefined {
    return this.#of(kind).get(keyString({ namespace, name })) as unknown as Live<T> | undefined; // of the kind
  }

  /** Each write on its own, or with `atomic` all or nothing; those that are done share a revision. */
  transact(
    writes: readonly ClientWrite[],
    atomic = false,
  ): {
    readonly outcomes: readonly WriteOutcome[];
    readonly written: readonly Written[];
  } {
    const revision = this.revision + 1n;
    const written: Written[] = [];
    const before = {
      objects: new Map([...this.#objects].map(([kind, all]) => [kind, new Map(all)])),
      log: this.log.length,
    };
    const outcomes = writes.map((write): WriteOutcome => {
      const result = this.#write(write, revision, written);
      if (typeof result === 'string')
        return { ok: false, error: { reason: result, message: `${result}: ${describe(write)}`, fields: [] } };
      this.log.push(describe(write));
      return { ok: true, object: result, revision };
    });
    if (atomic && outcomes.some(({ ok }) => !ok)) {
      this.#objects = before.objects;
      this.log.length = before.log;
      const blameless = { reason: 'Conflict', message: 'another write was refused', fields: [] };
      return {
        outcomes: outcomes.map((each) => (each.ok ? { ok: false, error: blameless, blameless: true } : each)),
        written: [],
      };
    }
    if (written.length > 0) this.revision = revision;
    return { outcomes, written };
  }

  /** The object as it is now, or why not. */
  #write(write: ClientWrite, revision: bigint, written: Written[]): AnyObject | string {
    if (write.type === 'bind' || write.type === 'patch') return 'Unimplemented';
    const { kind } = write;
    const put = (object: AnyObject, previous?: AnyObject) => this.#put(kind, object, previous, revision, written);
    if (write.type === 'create') {
      if (this.#of(kind).has(keyOf(write.object))) return 'AlreadyExists';
      return put(this.#made(kind, write.object as AnyObject)); // it has what its kind has
    }
    const key = write.type === 'delete' ? keyString({ namespace: '', ...write.key }) : keyOf(write.object);
    const present = this.#of(kind).get(key);
    if (present === undefined) return 'NotFound';
    const metadata = metadataOf(present);
    if (write.type === 'delete') {
      const { uid = metadata.uid, resourceVersion = metadata.resourceVersion } = write.options ?? {};
      if (uid !== metadata.uid || resourceVersion !== metadata.resourceVersion) return 'Conflict';
      return put(this.#asked(kind, present, write.options ?? {}), present);
    }
    const wanted = metadataOf(write.object);
    if (wanted.resourceVersion !== '' && wanted.resourceVersion !== metadata.resourceVersion) return 'Conflict';
    const object = write.object as AnyObject; // as above
    if (write.type === 'updateStatus') return put({ ...present, status: object.status }, present);
    const generation = metadata.generation + (JSON.stringify(object.spec) === JSON.stringify(present.spec) ? 0 : 1);
    const { uid, deletionTimestamp, creationTimestamp, deletionGracePeriodSeconds } = metadata;
    const kept = { ...wanted, uid, deletionTimestamp, creationTimestamp, deletionGracePeriodSeconds, generation };
    return put({ ...object, ...(kind.hasStatus && { status: present.status }), metadata: kept }, present);
  }

  #made(kind: KindDefinition, object: AnyObject): AnyObject {
    const number = ++this.#uid;
    // So that ages differ.
    const creationTimestamp = timestamp(this.#now() + number * 1000);
    const metadata = { ...metadataOf(object), uid: `u${number}`, generation: 1, creationTimestamp };
    const status = kind.hasStatus ? (kind.message.fromJSON({ status: {} }) as AnyObject).status : undefined;
    return { ...object, ...(kind.hasStatus && { status }), metadata };
  }

  /** As it is once it has been asked to go. */
  #asked(
    kind: KindDefinition,
    present: AnyObject,
    { gracePeriodSeconds, propagation }: { gracePeriodSeconds?: number; propagation?: DeleteRequest_Propagation },
  ): AnyObject {
    const metadata = metadataOf(present);
    const usual = kind.gracePeriodSeconds?.(present) ?? 0;
    const foreground = propagation === DeleteRequest_Propagation.FOREGROUND;
    return {
      ...present,
      metadata: {
        ...metadata,
        finalizers: foreground ? [...metadata.finalizers, 'foregroundDeletion'] : metadata.finalizers,
        deletionTimestamp: metadata.deletionTimestamp || timestamp(this.#now()),
        deletionGracePeriodSeconds: usual === 0 ? 0 : (gracePeriodSeconds ?? usual),
      },
    };
  }

  #put(
    kind: KindDefinition,
    object: AnyObject,
    previous: AnyObject | undefined,
    revision: bigint,
    written: Written[],
  ): AnyObject {
    const metadata = { ...metadataOf(object), resourceVersion: String(revision) };
    const next = structuredClone({ ...object, metadata });
    const asked = metadata.deletionTimestamp !== '' && metadata.deletionGracePeriodSeconds === 0;
    const over = asked && finalizersOf(kind, next).length === 0;
    // What changes nothing is no write.
    if (!over && previous !== undefined && sameBut(next, previous)) return previous;
    const objects = this.#of(kind);
    if (over) objects.delete(keyOf(next));
    else objects.set(keyOf(next), next);
    written.push({ kind, change: changeOf(next, previous, over) });
    return next;
  }

  #of(kind: object): Map<string, AnyObject> {
    const present = this.#objects.get(nameOf(kind)) ?? new Map<string, AnyObject>();
    this.#objects.set(nameOf(kind), present);
    return present;
  }
}

/** What tells kinds of objects apart. */
export function nameOf(kind: object): string {
  return (kind as KindDefinition).case; // kinds of every message type have one
}

function changeOf(next: AnyObject, previous: AnyObject | undefined, over: boolean): Change<KubeObject> {
  if (previous === undefined) return { type: 'added', object: next };
  return over ? { type: 'deleted', object: next } : { type: 'modified', object: next, previous };
}

function sameBut(next: AnyObject, previous: AnyObject): boolean {
  const text = (object: AnyObject) =>
    JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: '' } });
  return text(next) === text(previous);
}

function finalizersOf(kind: KindDefinition, object: AnyObject): readonly string[] {
  const own = kind.case === namespaceKind.case ? ((object as Namespace).spec?.finalizers ?? []) : []; // the kind says what it is
  return [...metadataOf(object).finalizers, ...own];
}

function describe(write: ClientWrite): string {
  if (write.type === 'bind') return 'bind';
  return `${write.type} ${write.kind.singular} ${'object' in write ? write.object.metadata?.name : write.key.name}`;
}
