import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ClusterService, GetStorageResponse, GetVersionResponse } from '@navarch/proto';
import type { Store } from '@navarch/store';
import type { StorageState } from '../storage/storage-care.ts';
import { storageReport } from '../storage/storage-report.ts';
import type { CallMetrics } from './call-metrics.ts';
import { unary } from './calls.ts';

const asEncoded = (encoded: Buffer) => encoded;

export const encodedClusterService: ServiceDefinition = {
  getVersion: { ...ClusterService.getVersion, responseSerialize: asEncoded },
  getStorage: { ...ClusterService.getStorage, responseSerialize: asEncoded },
};

/** Says which versions run here, which cluster this is, and how much room it has. */
export function clusterHandlers(parts: {
  version: string;
  store: Store;
  clusterId: () => string;
  storage: (signal: AbortSignal) => Promise<StorageState>;
  metrics: CallMetrics;
}): UntypedServiceImplementation {
  const { version, store, clusterId, storage, metrics } = parts;
  return {
    getVersion: unary('GetVersion', metrics, async (_request: unknown, signal) => {
      const revision = await store.revision(signal);
      const response = { version, nodeVersion: process.version, revision, clusterId: clusterId() };
      return Buffer.from(GetVersionResponse.encode(response).finish());
    }),
    getStorage: unary('GetStorage', metrics, async (_request: unknown, signal) => {
      return Buffer.from(GetStorageResponse.encode(storageReport(await storage(signal))).finish());
    }),
  };
}
