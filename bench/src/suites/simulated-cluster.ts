import { type ApiClient, createClient } from '@navarch/client';
import { node as nodeKind } from '@navarch/kinds';
import { createLogger } from '@navarch/kit';
import { type EtcdServer, type NatsServer, startEtcd, startNats, waitFor } from '@navarch/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceProcess } from '../frame/service-process.ts';
import { type ApiProcess, startApiProcess } from './api/api-process.ts';

export interface SimulatedClusterOptions {
  readonly nodes: number;
  /** The median of the times that sandboxes and containers take to start. */
  readonly startMs: number;
  readonly say: (line: string) => void;
  readonly profileDir?: string | undefined;
}

/**
 * A whole control plane in processes of its own, with etcd on disk and NATS, and nodes that only pretend to run Pods: all
 * on this machine. Nothing of it needs root or a network of its own.
 */
export class SimulatedCluster {
  readonly etcd: EtcdServer;
  readonly client: ApiClient;
  readonly api: ApiProcess;
  /** By name; etcd and NATS are not among them. */
  readonly services: readonly ServiceProcess[];
  readonly #nats: NatsServer;
  readonly #dir: string;

  private constructor(parts: {
    etcd: EtcdServer;
    nats: NatsServer;
    client: ApiClient;
    api: ApiProcess;
    services: readonly ServiceProcess[];
    dir: string;
  }) {
    this.etcd = parts.etcd;
    this.#nats = parts.nats;
    this.client = parts.client;
    this.api = parts.api;
    this.services = parts.services;
    this.#dir = parts.dir;
  }

  /** Started, with all nodes Ready. */
  static async start({ nodes, startMs, say, profileDir }: SimulatedClusterOptions): Promise<SimulatedCluster> {
    say(`starting a control plane and ${nodes} simulated nodes …`);
    const dir = await mkdtemp(join(tmpdir(), 'navarch-simulated-'));
    const etcd = await startEtcd({ fsync: true, flags: ['--quota-backend-bytes=8589934592'] });
    const nats = await startNats();
    const api = await startApiProcess({ etcd: etcd.endpoint, nats: nats.url, profileDir });
    const common = { NAVARCH_API: api.address, NAVARCH_NATS: nats.url };
    const start = (service: string, env: Record<string, string> = {}) =>
      ServiceProcess.start({ service, env: { ...common, ...env }, profileDir });
    const services = [
      api,
      await start('scheduler'),
      await start('controller-manager', { NAVARCH_CLUSTER_CIDR: '10.0.0.0/8' }),
      await start('node-agent', {
        NAVARCH_SIMULATE: String(nodes),
        NAVARCH_SIMULATE_START_MS: `${startMs}ms`,
        NAVARCH_NODE_NAME: 'simulated',
        NAVARCH_STATE_DIR: dir,
      }),
    ];
    const client = createClient({ address: api.address, logger: createLogger({ name: 'bench', level: 'error' }) });
    const cluster = new SimulatedCluster({ etcd, nats, client, api, services, dir });
    await waitFor(async () => (await client.list(nodeKind)).items.filter(isReady).length === nodes, {
      what: `${nodes} nodes to be Ready`,
      timeoutMs: 300_000,
      intervalMs: 200,
    });
    return cluster;
  }

  /** Seconds of processor time that each process has taken so far. */
  cpuSeconds(): ReadonlyMap<string, number> {
    return new Map(this.services.map((service) => [service.name, service.cpuSeconds()]));
  }

  async stop(): Promise<void> {
    this.client.close();
    for (const service of this.services.toReversed()) await service.stop();
    await Promise.all([this.#nats.stop(), this.etcd.stop()]);
    await rm(this.#dir, { recursive: true, force: true });
  }
}

function isReady({ status }: { status: { conditions: readonly { type: string; status: string }[] } }): boolean {
  return status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
}
