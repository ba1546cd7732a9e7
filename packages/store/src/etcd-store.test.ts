import { type EtcdServer, startEtcd } from '@navarch/testing';
import { afterAll, beforeAll } from 'vitest';
import { storeConformance } from './conformance.ts';
import { EtcdStore } from './etcd-store.ts';

let server: EtcdServer;
beforeAll(async () => {
  server = await startEtcd();
}, 30_000);
afterAll(() => server.stop());

storeConformance('EtcdStore', async () => new EtcdStore({ endpoints: server.endpoint }));
