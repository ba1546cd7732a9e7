import type { KindDefinition } from '@navarch/kinds';
import type { KubeObject, Live } from '@navarch/machinery';
import type {
  ApplyResponse,
  Binding,
  Check,
  DeleteRequest,
  ErrorDetail,
  Eviction,
  Fence,
  FieldValidation,
  GetStorageResponse,
  FindRevisionResponse,
  GetVersionResponse,
  PatchRequest_Type,
  Pod,
  Scale,
  WhyResponse,
} from '@navarch/proto';

/**
 * The typed client of the api. Every method throws ApiError (never a bare gRPC error). Calls carry a deadline (default
 * 30 s) and wait for a connection that is being made; they are not tried again, except reads after 'Unavailable'.
 * A call that `signal` ends rejects with the signal's reason. Objects given to a write are not changed; `metadata.resourceVersion`, when set, is the version that must still be current.
 */
export interface Client {
  get<T extends KubeObject>(kind: KindDefinition<T>, key: Key, options?: ReadOptions): Promise<Live<T>>;
  /** Everything the selectors choose, at one revision; chunks are fetched and joined. */
  list<T extends KubeObject>(kind: KindDefinition<T>, options?: ListOptions): Promise<ListResult<T>>;
  /** Batches of one revision each, for one kind. With `after` undefined, begins with what there is (`initial`). */
  watch<T extends KubeObject>(kind: KindDefinition<T>, options: WatchOptions): AsyncIterable<WatchBatch<T>>;
  create<T extends KubeObject>(kind: KindDefinition<T>, object: T, options?: WriteOptions): Promise<Live<T>>;
  update<T extends KubeObject>(kind: KindDefinition<T>, object: T, options?: WriteOptions): Promise<Live<T>>;
  updateStatus<T extends KubeObject>(kind: KindDefinition<T>, object: T, options?: WriteOptions): Promise<Live<T>>;
  patch<T extends KubeObject>(
    kind: KindDefinition<T>,
    key: Key,
    patch: PatchText,
    options?: WriteOptions,
  ): Promise<Live<T>>;
  apply(manifestJson: string, options?: ApplyOptions): Promise<ApplyResponse>;
  delete<T extends KubeObject>(
    kind: KindDefinition<T>,
    key: Key,
    options?: DeleteOptions,
  ): Promise<{ object: Live<T>; gone: boolean }>;
  /** Asks all objects that the selectors choose to go; returns how many there were. */
  deleteCollection(
    kind: KindDefinition,
    selection: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>,
    options?: Omit<DeleteOptions, 'uid' | 'resourceVersion'>,
  ): Promise<number>;
  /** How many replicas an object of a kind that can be scaled wants and has. */
  getScale(kind: KindDefinition, key: Key, options?: CallOptions): Promise<Scale>;
  updateScale(kind: KindDefinition, key: Key, replicas: number, options?: ScaleOptions): Promise<Scale>;
  /** What keeps an object from going, or would go with it. */
  why(kind: KindDefinition, key: Key, options?: CallOptions): Promise<WhyResponse>;
  /** Puts a Pod on a node. */
  bind(binding: Binding, options?: WriteOptions): Promise<Live<Pod>>;
  /** Asks a Pod to go so that its node can be emptied. */
  evict(eviction: EvictionOf, options?: WriteOptions): Promise<{ object: Live<Pod>; gone: boolean }>;
  /** Many writes in one call, at most 100. Results stand in the order of the writes. */
  transact(
    writes: readonly AtomicWrite[],
    options?: { atomic?: boolean } & WriteOptions,
  ): Promise<readonly WriteOutcome[]>;
  /** What is known of an object's past, the newest version first. At most `limit` (100) versions. */
  history<T extends KubeObject>(
    kind: KindDefinition<T>,
    key: Key,
    options?: CallOptions & { limit?: number },
  ): Promise<ObjectHistory<T>>;
  /** The revision that the cluster had so long ago, or at a time (RFC 3339). 'Expired' when the store has forgotten it. */
  findRevision(
    moment: { readonly agoMs: number } | { readonly time: string },
    options?: CallOptions,
  ): Promise<FindRevisionResponse>;
  version(options?: CallOptions): Promise<GetVersionResponse>;

  /** How much room the store has. */
  storage(options?: CallOptions): Promise<GetStorageResponse>;
  close(): void;
}

export interface Key {
  readonly namespace?: string;
  readonly name: string;
}

export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface ReadOptions extends CallOptions {
  /** As it was at this revision; as it is now when undefined. 'Expired' when the store has forgotten it. */
  readonly at?: bigint | undefined;
}

export interface WriteOptions extends CallOptions {
  readonly fence?: Fence;
  readonly dryRun?: boolean;
  /** Who writes: the object then remembers who set which fields. */
  readonly fieldManager?: string;
  /** What happens to fields of manifests and patches that are unknown or stand twice; strict by default. */
  readonly fieldValidation?: FieldValidation;
}

/** What an apply says besides its manifest. */
export interface ApplyFields {
  /** Where the manifest names none. */
  readonly namespace?: string;
  /** Take fields that others have set to other values. */
  readonly force?: boolean;
  readonly subresource?: 'status';
  readonly fieldValidation?: FieldValidation;
}

export type ApplyOptions = WriteOptions & ApplyFields;

export interface DeleteOptions extends WriteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagation?: DeleteRequest['propagation'];
  readonly uid?: string;
  /** Only this version. */
  readonly resourceVersion?: string;
}

export interface ScaleOptions extends WriteOptions {
  readonly uid?: string;
  /** Only this version. */
  readonly resourceVersion?: string;
  /** Only when so many are wanted now. */
  readonly currentReplicas?: number;
}

/** Which Pod is to go, and how. */
export type EvictionOf = Pick<Eviction, 'namespace' | 'name'> & Partial<Eviction>;

export interface PatchText {
  readonly type: PatchRequest_Type;
  /** JSON. */
  readonly patch: string;
  readonly subresource?: 'status' | 'scale' | 'ephemeralcontainers';
  /** Only this version. */
  readonly resourceVersion?: string;
}

export interface ListOptions extends ReadOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Only what happened at or after this time, and before that one: RFC 3339, for Events. */
  readonly since?: string;
  readonly until?: string;
}

export interface ListResult<T> {
  readonly revision: bigint;
  readonly items: readonly Live<T>[];
}

export interface ObjectHistory<T> {
  readonly versions: readonly Version<T>[];
  /** Why older versions may be missing; '' when there is no such reason. */
  readonly warning: string;
}

/** One version of an object, or its end. */
export interface Version<T = KubeObject> {
  readonly revision: bigint;
  /** RFC 3339; '' when nobody knows. */
  readonly time: string;
  /** Whether what was at this revision can still be read. */
  readonly stored: boolean;
  readonly manager: string;
  /** Undefined: the object was deleted at this revision. */
  readonly object: Live<T> | undefined;
  /** Between this and the next older one there were versions that nobody has kept. */
  readonly gap: boolean;
}

export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly after?: bigint;
  readonly signal: AbortSignal;
}

export interface WatchBatch<T> {
  readonly revision: bigint;
  readonly initial: boolean;
  readonly events: readonly WatchedChange<T>[];
}

export interface WatchedChange<T> {
  readonly type: 'added' | 'modified' | 'deleted';
  readonly object: Live<T>;
}

/** One write of a transaction. Build them with the functions in writes.ts. */
export type ClientWrite =
  | { readonly type: 'create' | 'update' | 'updateStatus'; readonly kind: KindDefinition; readonly object: KubeObject }
  | { readonly type: 'delete'; readonly kind: KindDefinition; readonly key: Key; readonly options?: DeleteOptions }
  | { readonly type: 'patch'; readonly kind: KindDefinition; readonly key: Key; readonly patch: PatchText }
  | { readonly type: 'bind'; readonly binding: Binding };

/** What an atomic transaction can hold besides. */
export type AtomicWrite =
  | ClientWrite
  | { readonly type: 'apply'; readonly manifestJson: string; readonly options?: ApplyFields }
  | { readonly type: 'evict'; readonly eviction: EvictionOf }
  | {
      readonly type: 'scale';
      readonly kind: KindDefinition;
      readonly key: Key;
      readonly replicas: number;
      readonly options?: Omit<ScaleOptions, 'fence' | 'dryRun'>;
    }
  | { readonly type: 'check'; readonly kind: KindDefinition; readonly key: Key; readonly is: Partial<Check> };

export type WriteOutcome =
  | {
      readonly ok: true;
      /** Has no metadata where a check was for nothing being there. */
      readonly object: KubeObject;
      readonly revision: bigint;
      /** What the api says that it did. */
      readonly done?: ApplyResponse['result'];
    }
  | {
      readonly ok: false;
      readonly error: ErrorDetail;
      /** Nothing was wrong with this write, but with another of the same atomic transaction. */
      readonly blameless?: true;
    };
