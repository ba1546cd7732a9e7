import { type KindDefinition, liveObject, toResource } from '@navarch/kinds';
import { type Clock, type Logger, systemClock } from '@navarch/kit';
import { ApiError, isApiError, type KubeObject, type Live } from '@navarch/machinery';
import {
  type Binding,
  ClusterService,
  type ErrorDetail,
  Eviction,
  Form,
  type Pod,
  type Resource,
  ResourcesService,
  RevisionMatch,
  WatchEvent_Type,
} from '@navarch/proto';
import type {
  ApplyOptions,
  AtomicWrite,
  CallOptions,
  Client,
  DeleteOptions,
  EvictionOf,
  Key,
  ListOptions,
  ListResult,
  ObjectHistory,
  PatchText,
  ReadOptions,
  ScaleOptions,
  Version,
  WatchBatch,
  WatchedChange,
  WatchOptions,
  WriteOptions,
  WriteOutcome,
} from './client.ts';
import { type AccessCalls, accessCalls } from './access-calls.ts';
import { Connection } from './connection.ts';
import { type MetricsCalls, metricsCalls } from './metrics-calls.ts';
import { type PlanningCalls, planningCalls } from './planning-calls.ts';
import { type PodStreams, podStreams } from './pod-streams.ts';
import type { WatchSource } from './watch-source.ts';
import { toApplyRequest, toDeleteRequest, toPatchRequest, toUpdateScaleRequest, toWrite } from './writes.ts';

const chunkSize = 500;
const mostVersions = 100;

export interface ClientOptions {
  /** `host:port`. */
  readonly address: string;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Told what the api says besides its answers. */
  readonly onWarning?: (text: string) => void;
  /** Who writes, where a write does not say so itself. */
  readonly fieldManager?: string;
  /** The program that calls: it stands for a writer that has no other name. */
  readonly program?: string;
}

/** The client as it talks to a real api. */
export interface ApiClient extends Client {
  /** For informers. */
  readonly raw: WatchSource;
  readonly pods: PodStreams;
  readonly metrics: MetricsCalls;
  readonly access: AccessCalls;
  readonly planning: PlanningCalls;
}

/** Makes a client with one channel, which connects when it is first used and again whenever it must. */
export function createClient(options: ClientOptions): ApiClient {
  const { address, logger, clock = systemClock, onWarning, fieldManager = '', program } = options;
  return new GrpcApiClient(new Connection({ address, logger, clock, onWarning, program }), fieldManager);
}

class GrpcApiClient implements ApiClient {
  readonly #connection: Connection;
  readonly #fieldManager: string;
  readonly raw: WatchSource;
  readonly pods: PodStreams;
  readonly metrics: MetricsCalls;
  readonly access: AccessCalls;
  readonly planning: PlanningCalls;

  constructor(connection: Connection, fieldManager: string) {
    this.#connection = connection;
    this.#fieldManager = fieldManager;
    this.pods = podStreams(connection);
    this.metrics = metricsCalls(connection);
    this.access = accessCalls(connection);
    this.planning = planningCalls(connection);
    this.raw = { watch: (request, signal) => connection.stream(ResourcesService.watch, request, signal) };
  }

  async get<T extends KubeObject>(kind: KindDefinition<T>, key: Key, options: ReadOptions = {}): Promise<Live<T>> {
    const request = { resource: kind.resource, namespace: key.namespace ?? '', name: key.name, ...asOf(options) };
    return liveObject<T>(await this.#connection.read(ResourcesService.get, request, options));
  }

  async list<T extends KubeObject>(kind: KindDefinition<T>, options: ListOptions = {}): Promise<ListResult<T>> {
    try {
      return await this.#listOnce(kind, options);
    } catch (error) {
      // History went away between two chunks; a new list begins at a newer revision.
      if (!isApiError(error, 'Expired') || options.at !== undefined) throw error;
      return await this.#listOnce(kind, options);
    }
  }

  async *watch<T extends KubeObject>(kind: KindDefinition<T>, options: WatchOptions): AsyncIterable<WatchBatch<T>> {
    const { namespace = '', labelSelector = '', fieldSelector = '', after = 0n, signal } = options;
    const target = { resource: kind.resource, namespace, labelSelector, fieldSelector };
    for await (const { revision, initial, events } of this.raw.watch(
      { targets: [target], after, form: Form.FULL },
      signal,
    )) {
      const changes = events.flatMap(({ type, resource }): WatchedChange<T>[] =>
        resource ? [{ type: changeTypes[type] ?? 'modified', object: liveObject<T>(resource) }] : [],
      );
      yield { revision, initial, events: changes };
    }
  }

  create<T extends KubeObject>(kind: KindDefinition<T>, object: T, options: WriteOptions = {}): Promise<Live<T>> {
    return this.#write(ResourcesService.create, kind, object, options);
  }

  update<T extends KubeObject>(kind: KindDefinition<T>, object: T, options: WriteOptions = {}): Promise<Live<T>> {
    return this.#write(ResourcesService.update, kind, object, options);
  }

  updateStatus<T extends KubeObject>(kind: KindDefinition<T>, object: T, options: WriteOptions = {}): Promise<Live<T>> {
    return this.#write(ResourcesService.updateStatus, kind, object, options);
  }

  async patch<T extends KubeObject>(
    kind: KindDefinition<T>,
    key: Key,
    patch: PatchText,
    options: WriteOptions = {},
  ): Promise<Live<T>> {
    const request = { ...toPatchRequest(kind, key, patch), ...this.#writeFields(options) };
    return liveObject<T>(await this.#connection.unary(ResourcesService.patch, request, options));
  }

  apply(manifestJson: string, options: ApplyOptions = {}) {
    const request = { ...toApplyRequest(manifestJson, options), ...this.#writeFields(options) };
    return this.#connection.unary(ResourcesService.apply, request, options);
  }

  async delete<T extends KubeObject>(kind: KindDefinition<T>, key: Key, options: DeleteOptions = {}) {
    const request = toDeleteRequest(kind, key, options);
    const { resource, gone } = await this.#connection.unary(ResourcesService.delete, request, options);
    return { object: liveObject<T>(present(resource)), gone };
  }

  async deleteCollection(
    kind: KindDefinition,
    selection: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>,
    options: Omit<DeleteOptions, 'uid' | 'resourceVersion'> = {},
  ): Promise<number> {
    const { namespace = '', labelSelector = '', fieldSelector = '' } = selection;
    const { gracePeriodSeconds, propagation = 0, fence, dryRun = false } = options;
    const selected = { resource: kind.resource, namespace, labelSelector, fieldSelector };
    const request = { ...selected, gracePeriodSeconds, propagation, fence, dryRun };
    return (await this.#connection.unary(ResourcesService.deleteCollection, request, options)).count;
  }

  getScale(kind: KindDefinition, key: Key, options: CallOptions = {}) {
    const request = { resource: kind.resource, namespace: key.namespace ?? '', name: key.name, ...asOf({}) };
    return this.#connection.read(ResourcesService.getScale, request, options);
  }

  why(kind: KindDefinition, key: Key, options: CallOptions = {}) {
    const request = { resource: kind.resource, namespace: key.namespace ?? '', name: key.name };
    return this.#connection.read(ResourcesService.why, request, options);
  }

  updateScale(kind: KindDefinition, key: Key, replicas: number, options: ScaleOptions = {}) {
    return this.#connection.unary(
      ResourcesService.updateScale,
      toUpdateScaleRequest(kind, key, replicas, { fieldManager: this.#fieldManager, ...options }),
      options,
    );
  }

  async bind(binding: Binding, options: WriteOptions = {}): Promise<Live<Pod>> {
    const { fence, dryRun = false } = options;
    return liveObject<Pod>(await this.#connection.unary(ResourcesService.bind, { binding, fence, dryRun }, options));
  }

  async evict(eviction: EvictionOf, options: WriteOptions = {}) {
    const { fence, dryRun = false } = options;
    const request = { eviction: { ...Eviction.fromJSON({}), ...eviction }, fence, dryRun };
    const { resource, gone } = await this.#connection.unary(ResourcesService.evict, request, options);
    return { object: liveObject<Pod>(present(resource)), gone };
  }

  async transact(
    writes: readonly AtomicWrite[],
    options: { atomic?: boolean } & WriteOptions = {},
  ): Promise<readonly WriteOutcome[]> {
    const request = { writes: writes.map(toWrite), atomic: options.atomic ?? false, ...this.#writeFields(options) };
    const { results } = await this.#connection.unary(ResourcesService.transact, request, options);
    return results.map(({ result, done }): WriteOutcome => {
      if (result === undefined) return { ok: false, error: { ...blameless }, blameless: true };
      if (result.$case === 'error') return { ok: false, error: result.value };
      const { revision, object } = result.value;
      return { ok: true, object: object === undefined ? {} : liveObject(result.value), revision, done };
    });
  }

  async history<T extends KubeObject>(
    kind: KindDefinition<T>,
    { namespace = '', name }: Key,
    options: CallOptions & { limit?: number } = {},
  ): Promise<ObjectHistory<T>> {
    const request = { resource: kind.resource, namespace, name, limit: options.limit ?? mostVersions };
    const { entries, warning } = await this.#connection.read(ResourcesService.history, request, options);
    const versions = entries.map(({ resource, revision, time, stored, manager, gap }): Version<T> => {
      return { revision, time, stored, manager, gap, object: resource && liveObject<T>(resource) };
    });
    return { versions, warning };
  }

  findRevision(moment: { readonly agoMs: number } | { readonly time: string }, options: CallOptions = {}) {
    const request =
      'time' in moment ? { time: moment.time, agoMs: 0n } : { time: '', agoMs: BigInt(Math.round(moment.agoMs)) };
    return this.#connection.read(ClusterService.findRevision, request, options);
  }

  version(options: CallOptions = {}) {
    return this.#connection.read(ClusterService.getVersion, {}, options);
  }

  storage(options: CallOptions = {}) {
    return this.#connection.read(ClusterService.getStorage, {}, options);
  }

  close(): void {
    this.#connection.close();
  }

  /** What all writes carry. */
  #writeFields({ fence, dryRun = false, fieldManager = this.#fieldManager, fieldValidation = 0 }: WriteOptions) {
    return { fence, dryRun, fieldManager, fieldValidation };
  }

  async #listOnce<T extends KubeObject>(kind: KindDefinition<T>, options: ListOptions): Promise<ListResult<T>> {
    const { namespace = '', labelSelector = '', fieldSelector = '', since = '', until = '' } = options;
    const items: Live<T>[] = [];
    let next = '';
    for (;;) {
      const request = {
        resource: kind.resource,
        namespace,
        labelSelector,
        fieldSelector,
        since,
        until,
        limit: chunkSize,
        continue: next,
        // What comes after the first chunk is at its revision.
        ...asOf(next === '' ? options : {}),
      };
      const chunk = await this.#connection.read(ResourcesService.list, request, options);
      for (const resource of chunk.items) items.push(liveObject<T>(resource));
      if (chunk.continue === '') return { revision: chunk.revision, items };
      next = chunk.continue;
    }
  }

  async #write<T extends KubeObject>(
    method: typeof ResourcesService.create | typeof ResourcesService.update | typeof ResourcesService.updateStatus,
    kind: KindDefinition<T>,
    object: T,
    options: WriteOptions,
  ): Promise<Live<T>> {
    const request = { resource: toResource(kind, object), manifest: '', ...this.#writeFields(options) };
    return liveObject<T>(await this.#connection.unary(method, request, options));
  }
}

const blameless: ErrorDetail = {
  reason: 'Conflict',
  message: 'nothing was done: another write of the same atomic transaction was refused',
  fields: [],
};

const changeTypes: Readonly<Partial<Record<WatchEvent_Type, WatchedChange<KubeObject>['type']>>> = {
  [WatchEvent_Type.ADDED]: 'added',
  [WatchEvent_Type.MODIFIED]: 'modified',
  [WatchEvent_Type.DELETED]: 'deleted',
};

function asOf({ at }: ReadOptions) {
  const match = at === undefined ? RevisionMatch.UNSPECIFIED : RevisionMatch.EXACT;
  return { revision: at, match, form: Form.FULL };
}

function present(resource: Resource | undefined): Resource {
  if (resource === undefined) throw new ApiError('InternalError', 'the api answered without the object');
  return resource;
}
