import type { ApiClient } from '@navarch/client';
import { node as nodeKind } from '@navarch/kinds';
import { type EtcdServer, waitFor } from '@navarch/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlPlane } from './cluster/control-plane.ts';

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
  readonly #plane: ControlPlane;
  readonly #dir: string;

  private constructor(plane: ControlPlane, dir: string) {
    this.#plane = plane;
    this.#dir = dir;
  }

  /** Started, with all nodes Ready. */
  static async start({ nodes, startMs, say, profileDir }: SimulatedClusterOptions): Promise<SimulatedCluster> {
    say(`starting a control plane and ${nodes} simulated nodes …`);
    const dir = await mkdtemp(join(tmpdir(), 'navarch-simulated-'));
    const plane = await ControlPlane.start(profileDir);
    await plane.startService('controller-manager', { NAVARCH_CLUSTER_CIDR: '10.0.0.0/8' });
    await plane.startService('node-agent', {
      NAVARCH_SIMULATE: String(nodes),
      NAVARCH_SIMULATE_START_MS: `${startMs}ms`,
      NAVARCH_NODE_NAME: 'simulated',
      NAVARCH_STATE_DIR: dir,
    });
    await waitFor(async () => (await plane.client.list(nodeKind)).items.filter(isReady).length === nodes, {
      what: `${nodes} nodes to be Ready`,
      timeoutMs: 300_000,
      intervalMs: 1_000,
    });
    return new SimulatedCluster(plane, dir);
  }

  get client(): ApiClient {
    return this.#plane.client;
  }

  get etcd(): EtcdServer {
    return this.#plane.etcd;
  }

  /** What runs, by name. */
  pids(): ReadonlyMap<string, number> {
    return this.#plane.pids();
  }

  /** Processor time so far, by process. */
  cpuSeconds(): ReadonlyMap<string, number> {
    return this.#plane.cpuSeconds();
  }

  async stop(): Promise<void> {
    await this.#plane.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

export function isReady({ status }: { status: { conditions: readonly { type: string; status: string }[] } }): boolean {
  return status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
}
