import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Clock } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import {
  ClusterService,
  type FindRevisionRequest,
  FindRevisionResponse,
  GetStorageResponse,
  GetVersionResponse,
} from '@navarch/proto';
import type { Store } from '@navarch/store';
import type { Timeline } from '../history/timeline.ts';
import type { StorageState } from '../storage/storage-care.ts';
import { storageReport } from '../storage/storage-report.ts';
import type { Access } from '../pipeline/access.ts';
import type { CallMetrics } from './call-metrics.ts';
import { asEncoded } from './as-encoded.ts';
import { unary } from './calls.ts';

export const encodedClusterService: ServiceDefinition = {
  getVersion: { ...ClusterService.getVersion, responseSerialize: asEncoded },
  getStorage: { ...ClusterService.getStorage, responseSerialize: asEncoded },
  findRevision: { ...ClusterService.findRevision, responseSerialize: asEncoded },
};

/** Says which versions run here, which cluster this is, how much room it has, and which revision was when. */
export function clusterHandlers(parts: {
  version: string;
  store: Store;
  timeline: Timeline;
  clock: Clock;
  clusterId: () => string;
  storage: (signal: AbortSignal) => Promise<StorageState>;
  access: Access;
  metrics: CallMetrics;
}): UntypedServiceImplementation {
  const { version, store, timeline, clock, clusterId, storage, access, metrics } = parts;
  return {
    getVersion: unary('GetVersion', metrics, async (_request: unknown, signal, { caller }) => {
      access.authorizeOther(caller, { verb: 'get', path: '/version' });
      const revision = await store.revision(signal);
      const response = { version, nodeVersion: process.version, revision, clusterId: clusterId() };
      return Buffer.from(GetVersionResponse.encode(response).finish());
    }),
    getStorage: unary('GetStorage', metrics, async (_request: unknown, signal, { caller }) => {
      access.authorizeComponent(caller, 'see how full the store is');
      return Buffer.from(GetStorageResponse.encode(storageReport(await storage(signal))).finish());
    }),
    findRevision: unary('FindRevision', metrics, async (request: FindRevisionRequest, signal, { caller }) => {
      access.authorizeOther(caller, { verb: 'get', path: '/version' });
      const { revision, atMs } = await timeline.find(momentOf(request, clock.now()), signal);
      const response = { revision, time: new Date(atMs).toISOString() };
      return Buffer.from(FindRevisionResponse.encode(response).finish());
    }),
  };
}

function momentOf({ time, agoMs }: FindRevisionRequest, now: number): number {
  if (time !== '' && agoMs !== 0n) throw new ApiError('BadRequest', 'set time or agoMs, not both');
  if (agoMs < 0n) throw new ApiError('BadRequest', `agoMs must be 0 or more, not ${agoMs}`);
  if (time === '') return now - Number(agoMs);
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new ApiError('BadRequest', `time must be as in 2026-01-31T12:00:00Z, not "${time}"`);
  return ms;
}
