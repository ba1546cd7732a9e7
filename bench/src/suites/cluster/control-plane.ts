import { type ApiClient, createClient } from '@navarch/client';
import { createLogger } from '@navarch/kit';
import { type EtcdServer, type NatsServer, startEtcd, startNats } from '@navarch/testing';
import { cpuSeconds } from '../../frame/process-usage.ts';
import { ServiceProcess } from '../../frame/service-process.ts';
import { type ApiProcess, startApiProcess } from '../api/api-process.ts';

/** etcd on disk, NATS, api and scheduler, each a process of its own. */
export class ControlPlane {
  readonly client: ApiClient;
  readonly #etcd: EtcdServer;
  readonly #nats: NatsServer;
  readonly #services: readonly ServiceProcess[];

  private constructor(etcd: EtcdServer, nats: NatsServer, api: ApiProcess, scheduler: ServiceProcess) {
    this.#etcd = etcd;
    this.#nats = nats;
    this.#services = [api, scheduler];
    this.client = createClient({ address: api.address, logger: createLogger({ name: 'bench', level: 'error' }) });
  }

  static async start(profileDir?: string): Promise<ControlPlane> {
    const etcd = await startEtcd({ fsync: true, flags: ['--quota-backend-bytes=8589934592'] });
    const nats = await startNats();
    const api = await startApiProcess({ etcd: etcd.endpoint, nats: nats.url, profileDir });
    const env = { NAVARCH_API: api.address, NAVARCH_NATS: nats.url };
    return new ControlPlane(etcd, nats, api, await ServiceProcess.start({ service: 'scheduler', env, profileDir }));
  }

  /** Processor time so far, by process. */
  cpuSeconds(): ReadonlyMap<string, number> {
    const services = this.#services.map((service) => [service.name, service.cpuSeconds()] as const);
    return new Map([...services, ['etcd', this.#etcd.pid === undefined ? 0 : cpuSeconds(this.#etcd.pid)]]);
  }

  async stop(): Promise<void> {
    this.client.close();
    for (const service of this.#services.toReversed()) await service.stop();
    await Promise.all([this.#nats.stop(), this.#etcd.stop()]);
  }
}
