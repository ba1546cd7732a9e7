/** For tests: a whole api on an in-memory store and bus, behind real gRPC on loopback. */
import { type Client, type ClientUnaryCall, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { MemoryBus, MemoryHub } from '@navarch/bus';
import { builtinKinds, toResource } from '@navarch/kinds';
import { createLogger, createMetrics, systemClock } from '@navarch/kit';
import { type ApiError, fromServiceError, identityKey, readWarnings } from '@navarch/machinery';
import {
  AccessClient,
  AccessReviewRequest,
  type AccessReviewResponse,
  ApplyRequest,
  type ApplyResponse,
  BindRequest,
  ClusterClient,
  CreateRequest,
  DeleteCollectionRequest,
  DeleteRequest,
  EvictRequest,
  FindRevisionRequest,
  type FindRevisionResponse,
  type GetAuthorityResponse,
  GetRequest,
  type GetStorageResponse,
  HistoryRequest,
  type IssueCertificateRequest,
  type IssueCertificateResponse,
  type HistoryResponse,
  ListRequest,
  ListRulesRequest,
  type ListRulesResponse,
  NodeSessionsClient,
  PatchRequest,
  PodsClient,
  RequestTokenRequest,
  type RequestTokenResponse,
  type Resource,
  type TableResponse,
  ResourcesClient,
  ReviewTokenRequest,
  type ReviewTokenResponse,
  type Scale,
  TransactRequest,
  UpdateRequest,
  UpdateScaleRequest,
  UserInfo,
  WatchRequest,
  type WatchResponse,
  WhyRequest,
  type WhyResponse,
} from '@navarch/proto';
import { MemoryStore, type Store } from '@navarch/store';
import { vi } from 'vitest';
import { Api, type ApiOptions } from './api.ts';

// Real servers, on machines that may be busy with other things.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

type Json = Record<string, unknown>;

/** An object from its manifest, as it travels. */
export function resource(manifest: Json): Resource {
  const { apiVersion, kind: name, ...fields } = manifest;
  const kind = builtinKinds.byApiVersion(String(apiVersion), String(name));
  if (kind === undefined) throw new Error(`no kind ${String(apiVersion)} ${String(name)}`);
  return toResource(kind, kind.message.fromJSON(fields));
}

/** The object in a Resource. T is the test's word. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- a cast that reads well where it is used
export function valueOf<T>(object: Resource | undefined): T {
  return object?.object?.value as T;
}

type Unary = (
  request: never,
  metadata: Metadata,
  done: (error: ServiceError | null, response: never) => void,
) => ClientUnaryCall;

/** What the requests of writes have in common. */
type WriteFields = Partial<Pick<CreateRequest, 'fence' | 'dryRun' | 'fieldManager' | 'fieldValidation'>>;

/** Calls with only the fields that matter; errors are ApiErrors. */
export class TestClient {
  readonly resources: ResourcesClient;
  readonly pods: PodsClient;
  readonly sessions: NodeSessionsClient;
  readonly cluster: ClusterClient;
  readonly access: AccessClient;
  /** What the calls so far were warned of. */
  readonly warnings: string[] = [];
  readonly #clients: Client[];
  readonly #address: string;
  readonly #metadata = new Metadata();

  constructor(address: string, user?: Partial<UserInfo>) {
    this.#address = address;
    if (user !== undefined)
      this.#metadata.set(identityKey, Buffer.from(UserInfo.encode(UserInfo.fromPartial(user)).finish()));
    this.resources = new ResourcesClient(address, credentials.createInsecure());
    this.pods = new PodsClient(address, credentials.createInsecure());
    this.sessions = new NodeSessionsClient(address, credentials.createInsecure());
    this.cluster = new ClusterClient(address, credentials.createInsecure());
    this.access = new AccessClient(address, credentials.createInsecure());
    this.#clients = [this.resources, this.pods, this.sessions, this.cluster, this.access];
  }

  /** Calls for somebody. Closed with this one. */
  as(username: string, ...groups: string[]): TestClient {
    const client = new TestClient(this.#address, { username, groups: [...groups, 'system:authenticated'] });
    this.#clients.push(...client.#clients);
    return client;
  }

  get = (fields: Json) => this.#call<Resource>('get', GetRequest.fromJSON(fields));
  list = (fields: Json) =>
    this.#call<{ revision: bigint; items: Resource[]; continue: string }>('list', ListRequest.fromJSON(fields));
  table = (fields: Json) => this.#call<TableResponse>('table', ListRequest.fromJSON(fields));
  history = (fields: Json) => this.#call<HistoryResponse>('history', HistoryRequest.fromJSON(fields));
  findRevision = (fields: Json) => {
    const { promise, resolve, reject } = Promise.withResolvers<FindRevisionResponse>();
    this.cluster.findRevision(FindRevisionRequest.fromJSON(fields), (error, response) =>
      error ? reject(fromServiceError(error)) : resolve(response),
    );
    return promise;
  };
  create = (manifest: Json, more: WriteFields = {}) =>
    this.#call<Resource>('create', { ...CreateRequest.fromJSON({}), resource: resource(manifest), ...more });
  update = (object: Resource, more: WriteFields = {}) =>
    this.#call<Resource>('update', { ...UpdateRequest.fromJSON({}), resource: object, ...more });
  updateStatus = (object: Resource, more: WriteFields = {}) =>
    this.#call<Resource>('updateStatus', { ...UpdateRequest.fromJSON({}), resource: object, ...more });
  /** Creates what a manifest says. */
  createManifest = (manifest: string, more: WriteFields = {}) =>
    this.#call<Resource>('create', { ...CreateRequest.fromJSON({}), manifest, ...more });
  patch = (fields: Json) => this.#call<Resource>('patch', PatchRequest.fromJSON(fields));
  apply = (manifest: Json | string, more: Json = {}) =>
    this.#call<ApplyResponse>('apply', {
      ...ApplyRequest.fromJSON(more),
      manifest: typeof manifest === 'string' ? manifest : JSON.stringify(manifest),
    });
  delete = (fields: Json) =>
    this.#call<{ resource: Resource | undefined; gone: boolean }>('delete', DeleteRequest.fromJSON(fields));
  deleteCollection = (fields: Json) =>
    this.#call<{ count: number }>('deleteCollection', DeleteCollectionRequest.fromJSON(fields));
  why = (fields: Json) => this.#call<WhyResponse>('why', WhyRequest.fromJSON(fields));
  getScale = (fields: Json) => this.#call<Scale>('getScale', GetRequest.fromJSON(fields));
  updateScale = (fields: Json) => this.#call<Scale>('updateScale', UpdateScaleRequest.fromJSON(fields));
  bind = (fields: Json) => this.#call<Resource>('bind', BindRequest.fromJSON(fields));
  evict = (fields: Json) =>
    this.#call<{ resource: Resource | undefined; gone: boolean }>('evict', EvictRequest.fromJSON(fields));
  transact = (request: Partial<TransactRequest>) =>
    this.#call<{
      results: { result: { $case: 'resource' | 'error'; value: never } | undefined; done: number; gone: boolean }[];
    }>('transact', {
      ...TransactRequest.fromJSON({}),
      ...request,
    });

  review = (fields: Json) =>
    this.#call<AccessReviewResponse>('review', AccessReviewRequest.fromJSON(fields), this.access);
  listRules = (fields: Json) =>
    this.#call<ListRulesResponse>('listRules', ListRulesRequest.fromJSON(fields), this.access);

  requestToken = (fields: Json) =>
    this.#call<RequestTokenResponse>('requestToken', RequestTokenRequest.fromJSON(fields), this.access);
  reviewToken = (fields: Json) =>
    this.#call<ReviewTokenResponse>('reviewToken', ReviewTokenRequest.fromJSON(fields), this.access);
  issueCertificate = (request: IssueCertificateRequest) =>
    this.#call<IssueCertificateResponse>('issueCertificate', request, this.access);
  getAuthority = () => this.#call<GetAuthorityResponse>('getAuthority', {}, this.access);

  storage(): Promise<GetStorageResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<GetStorageResponse>();
    this.cluster.getStorage({}, this.#metadata, (error, response) =>
      error ? reject(fromServiceError(error)) : resolve(response),
    );
    return promise;
  }

  /** Batches until `signal` aborts; an error of the stream is thrown as an ApiError. */
  async *watch(fields: Json, signal: AbortSignal): AsyncGenerator<WatchResponse, void, void> {
    const stream = this.resources.watch(WatchRequest.fromJSON(fields), this.#metadata);
    signal.addEventListener('abort', () => stream.cancel());
    try {
      for await (const response of stream) yield response as WatchResponse;
    } catch (error) {
      if (!signal.aborted) throw fromServiceError(error as ServiceError);
    } finally {
      stream.cancel();
    }
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  #call<T>(method: string, request: object, client: Client = this.resources): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const call = (client[method as keyof Client] as unknown as Unary).bind(client); // each method's stub has this form
    const answer = call(request as never, this.#metadata, (error, response) =>
      error ? reject(fromServiceError(error)) : resolve(response),
    );
    answer.on('status', ({ metadata }) => this.warnings.push(...readWarnings(metadata)));
    return promise;
  }
}

export interface TestApi extends AsyncDisposable {
  readonly api: Api;
  readonly address: string;
  readonly store: Store;
  readonly hub: MemoryHub;
  readonly bus: MemoryBus;
  readonly client: TestClient;
}

/** Starts an api; several can share a store and a hub. */
export async function startApi(
  options: { store?: Store; hub?: MemoryHub; ready?: boolean; more?: Partial<ApiOptions> } = {},
): Promise<TestApi> {
  const store = options.store ?? new MemoryStore();
  const hub = options.hub ?? new MemoryHub();
  const bus = hub.connect();
  const logger = createLogger({
    name: 'api',
    level: process.env['NAVARCH_TEST_LOG'] === undefined ? 'silent' : 'debug',
  });
  const api = new Api({
    store,
    bus,
    clock: systemClock,
    logger,
    metrics: createMetrics('api', { process: false }),
    listen: { host: '127.0.0.1', port: 0 },
    version: '0.0.0',
    serviceCidr: { text: '10.96.0.0/16', address: '10.96.0.0', prefixLength: 16, family: 4 },
    ...options.more,
  });
  const stop = new AbortController();
  await api.start(stop.signal);
  if (options.ready ?? true) await api.ready(AbortSignal.timeout(20_000));
  const address = `127.0.0.1:${api.address.port}`;
  const client = new TestClient(address);
  return {
    api,
    address,
    store,
    hub,
    bus,
    client,
    [Symbol.asyncDispose]: async () => {
      client.close();
      stop.abort();
      await api.stop();
      await bus.close();
      if (options.store === undefined) await store.close();
    },
  };
}

/** What a call is refused with. */
export async function refusal(call: Promise<unknown>): Promise<ApiError> {
  try {
    await call;
  } catch (error) {
    return error as ApiError; // the client throws nothing else
  }
  throw new Error('the call was not refused');
}
