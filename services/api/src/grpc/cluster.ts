import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ClusterService, GetVersionResponse } from '@navarch/proto';
import type { Store } from '@navarch/store';
import type { CallMetrics } from './call-metrics.ts';
import { unary } from './calls.ts';

export const encodedClusterService: ServiceDefinition = {
  getVersion: { ...ClusterService.getVersion, responseSerialize: (encoded: Buffer) => encoded },
};

/** Says which versions run here, and which cluster this is. */
export function clusterHandlers(parts: {
  version: string;
  store: Store;
  clusterId: () => string;
  metrics: CallMetrics;
}): UntypedServiceImplementation {
  const { version, store, clusterId, metrics } = parts;
  return {
    getVersion: unary('GetVersion', metrics, async (_request: unknown, signal) => {
      const revision = await store.revision(signal);
      const response = { version, nodeVersion: process.version, revision, clusterId: clusterId() };
      return Buffer.from(GetVersionResponse.encode(response).finish());
    }),
  };
}
