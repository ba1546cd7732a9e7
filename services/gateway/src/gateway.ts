import type { ApiClient, Connection } from '@navarch/client';
import type { Address, Clock, Component, Logger } from '@navarch/kit';
import { ApiCalls, type IdentityMetadata } from './api/api-calls.ts';
import { KindWatch } from './api/kind-watch.ts';
import { discoveryRoutes } from './discovery/discovery.ts';
import { healthRoutes } from './discovery/health.ts';
import { versionRoutes } from './discovery/version.ts';
import { chain, type Exchange, type Filter } from './http/exchange.ts';
import { Requests } from './http/requests.ts';
import { notFound } from './http/status.ts';
import { TlsServer, type TlsServerOptions } from './http/tls-server.ts';
import type { Authenticator } from './identity.ts';
import { openapiRoutes } from './openapi/openapi.ts';
import { createHandler } from './resources/create.ts';
import { deleteCollectionHandler, deleteHandler } from './resources/delete.ts';
import { getHandler } from './resources/get.ts';
import { listHandler } from './resources/list.ts';
import { patchHandler } from './resources/patch.ts';
import { updateHandler } from './resources/update.ts';
import { watchHandler } from './resources/watch.ts';
import { handlePath, type PathRoutes } from './routes/path-router.ts';
import { ResourceRouter, type Served } from './routes/resource-router.ts';
import { bindingSubresource } from './subresources/binding.ts';
import { ephemeralContainersSubresource } from './subresources/ephemeral-containers.ts';
import { evictionSubresource } from './subresources/eviction.ts';
import { scaleSubresource } from './subresources/scale.ts';
import { finalizeSubresource } from './subresources/finalize.ts';
import { statusSubresource } from './subresources/status.ts';
import type { Subresource } from './subresources/subresource.ts';
import { commandSubresources } from './streams/command-subresources.ts';
import { logSubresource } from './streams/log.ts';
import { portForwardSubresource } from './streams/port-forward.ts';
import type { TlsIdentity } from './tls/serving-certificate.ts';
import type { VirtualResource } from './virtual/virtual-resource.ts';

export interface GatewayOptions {
  readonly listen: Address;
  readonly tls: TlsServerOptions['tls'];
  readonly client: Pick<ApiClient, 'watch'>;
  readonly connection: Connection;
  readonly authenticator: Authenticator;
  readonly identityMetadata: IdentityMetadata;
  /** Around every handler, the outermost first. Who asks is known to them. */
  readonly filters: readonly Filter[];
  /** Beside those that every gateway has. */
  readonly paths?: readonly PathRoutes[];
  readonly subresources: (api: ApiCalls) => readonly Subresource[];
  readonly virtual: (api: ApiCalls) => readonly VirtualResource[];
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** The Kubernetes HTTP API, served by calls of the api. Keeps nothing but which kinds there are. */
export class Gateway {
  readonly components: readonly Component[];
  readonly notReady: () => string | undefined;
  readonly #server: TlsServer;

  constructor(options: GatewayOptions) {
    const { client, connection, clock, logger } = options;
    const kinds = new KindWatch({ client, clock, logger });
    const api = new ApiCalls(connection, options.identityMetadata);
    const served = servedBy(api, options);
    const router = new ResourceRouter(kinds, served);
    this.notReady = kinds.notReady;
    const paths: readonly PathRoutes[] = [
      versionRoutes(options.version),
      healthRoutes({
        live: [{ name: 'ping', problem: () => undefined }],
        ready: [
          { name: 'ping', problem: () => undefined },
          { name: 'kinds', problem: kinds.notReady },
        ],
      }),
      discoveryRoutes(kinds, served),
      openapiRoutes(kinds, served, options.version),
      ...(options.paths ?? []),
    ];
    const handle = chain(options.filters, async (exchange: Exchange) => {
      const { target } = exchange;
      if (target.type === 'path') await handlePath(paths, exchange);
      else await router.handle(exchange, target);
    });
    const stopping = new AbortController();
    const requests = new Requests({
      authenticator: options.authenticator,
      handle,
      upgrade: async (exchange, socket, head) => {
        const { target } = exchange;
        if (target.type === 'path') throw notFound();
        await chain(options.filters, () => router.upgrade(exchange, target, socket, head))(exchange);
      },
      stopping: stopping.signal,
      logger,
    });
    this.#server = new TlsServer({
      listen: options.listen,
      tls: options.tls,
      logger,
      onRequest: requests.onRequest,
      onUpgrade: requests.onUpgrade,
    });
    // Before the server waits for its connections to end, what would go on and on is told to.
    const ending: Component = { name: 'requests', start: async () => {}, stop: async () => stopping.abort() };
    this.components = [kinds, this.#server, ending];
  }

  /** New connections are served with another certificate from now on. */
  renew(tls: TlsIdentity): void {
    this.#server.renew(tls);
  }

  /** Where it listens, once started. */
  get address(): Address {
    return this.#server.address;
  }
}

function servedBy(api: ApiCalls, { subresources, virtual, random }: GatewayOptions): Served {
  return {
    verbs: {
      get: getHandler(api),
      list: listHandler(api),
      watch: watchHandler(api, random),
      create: createHandler(api),
      update: updateHandler(api, 'all'),
      patch: patchHandler(api, ''),
      delete: deleteHandler(api),
      deletecollection: deleteCollectionHandler(api),
    },
    subresources: [
      statusSubresource(api),
      finalizeSubresource(api),
      scaleSubresource(api),
      bindingSubresource(api),
      evictionSubresource(api),
      ephemeralContainersSubresource(api),
      logSubresource(api),
      ...commandSubresources(api),
      portForwardSubresource(api),
      ...subresources(api),
    ],
    virtual: virtual(api),
  };
}
