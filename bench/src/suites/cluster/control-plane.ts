import { type ApiClient, createClient } from '@navarch/client';
import { createLogger } from '@navarch/kit';
import { type EtcdServer, type NatsServer, startNats } from '@navarch/testing';
import { cpuSeconds } from '../../frame/process-usage.ts';
import { ServiceProcess } from '../../frame/service-process.ts';
import { type ApiProcess, startApiProcess } from '../api/api-process.ts';
import { diskEtcd } from '../api/measure.ts';

/** etcd on disk, NATS, api and scheduler, each a process of its own. */
export class ControlPlane {
  readonly client: ApiClient;
  readonly etcd: EtcdServer;
  readonly #nats: NatsServer;
  readonly #api: ApiProcess;
  readonly #profileDir: string | undefined;
  readonly #services: ServiceProcess[];

  private constructor(etcd: EtcdServer, nats: NatsServer, api: ApiProcess, profileDir: string | undefined) {
    this.etcd = etcd;
    this.#nats = nats;
    this.#api = api;
    this.#profileDir = profileDir;
    this.#services = [api];
    this.client = createClient({ address: api.address, logger: createLogger({ name: 'bench', level: 'error' }) });
  }

  static async start(profileDir?: string): Promise<ControlPlane> {
    const etcd = await diskEtcd();
    const nats = await startNats();
    const api = await startApiProcess({ etcd: etcd.endpoint, nats: nats.url, profileDir });
    const plane = new ControlPlane(etcd, nats, api, profileDir);
    await plane.startService('scheduler');
    return plane;
  }

  /** Starts another service that finds api and NATS. It ends with the rest. */
  async startService(service: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const common = { NAVARCH_API: this.#api.address, NAVARCH_NATS: this.#nats.url };
    this.#services.push(
      await ServiceProcess.start({ service, env: { ...common, ...env }, profileDir: this.#profileDir }),
    );
  }

  /** What runs, by name. */
  pids(): ReadonlyMap<string, number> {
    const services = this.#services.map(({ name, pid }) => [name, pid] as const);
    const servers = Object.entries({ etcd: this.etcd.pid, nats: this.#nats.pid });
    return new Map([
      ...services,
      ...servers.flatMap(([name, pid]) => (pid === undefined ? [] : [[name, pid] as const])),
    ]);
  }

  /** Processor time so far, by process. */
  cpuSeconds(): ReadonlyMap<string, number> {
    return new Map([...this.pids()].map(([name, pid]) => [name, cpuSeconds(pid)]));
  }

  async stop(): Promise<void> {
    this.client.close();
    for (const service of this.#services.toReversed()) await service.stop();
    await Promise.all([this.#nats.stop(), this.etcd.stop()]);
  }
}
