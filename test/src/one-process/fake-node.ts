import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import type { MemoryHub } from '@navarch/bus';
import { type Clock, createMetrics, type Logger } from '@navarch/kit';
import {
  type ContainerConfig,
  type FakeProgram,
  FakeRuntime,
  type Machine,
  type NodeNetworking,
  nodeAgent,
  nodeInformers,
} from '@navarch/node-agent';
import { TcpProxy } from '@navarch/testing';
import { SimulatedProcess } from './simulated-process.ts';

export interface FakeNodeOptions {
  readonly name: string;
  readonly ip: string;
  /** The first three numbers of its Pods' addresses. */
  readonly podNetwork: string;
  /** The api: `host:port`. */
  readonly address: string;
  readonly hub: MemoryHub;
  readonly dir: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

const machine: Machine = {
  cpuMillis: 8_000,
  memoryBytes: 16 * 2 ** 30,
  diskBytes: 100e9,
  machineId: '',
  bootId: '',
  kernelVersion: '',
  osImage: 'none',
  architecture: 'amd64',
};

/** Nobody sends these Pods anything. */
const noNetwork: NodeNetworking = { name: 'network', start: async () => {}, endpointRemoved: async () => {} };

/**
 * A machine with the whole node-agent on it, whose containers are entries in a map; those of an image `…:broken` end at once,
 * and so do those of `…:exits-N`, with N, and of `…:fails-on-N`, with 1 where N is their index in a Job and else with 0; those
 * of `…:ends-N` end with N when they are asked to. It reaches the cluster by a wire that can be cut.
 */
export class FakeNode {
  readonly name: string;
  readonly runtime: FakeRuntime;
  readonly #options: FakeNodeOptions;
  readonly #wire: TcpProxy;
  #agent: SimulatedProcess | undefined;
  #silent = false;
  readonly #ends: Promise<void>[] = [];

  private constructor(options: FakeNodeOptions, wire: TcpProxy) {
    this.name = options.name;
    this.runtime = new FakeRuntime({
      now: () => options.clock.now(),
      podNetwork: options.podNetwork,
      program: programOf,
    });
    this.#options = options;
    this.#wire = wire;
  }

  static async start(options: FakeNodeOptions): Promise<FakeNode> {
    await mkdir(options.dir, { recursive: true });
    const node = new FakeNode(options, await TcpProxy.start(options.address));
    await node.startAgent();
    return node;
  }

  /** Where the agent keeps what is on its disk. */
  get stateDir(): string {
    return join(this.#options.dir, this.name);
  }

  /** uids of the Pods that have a running container here, one entry for each container. */
  async running(): Promise<string[]> {
    const { sandboxes, containers } = await this.runtime.snapshot();
    const uids = new Map(sandboxes.map(({ id, pod }) => [id, pod.uid]));
    return containers.flatMap(({ state, sandboxId }) => (state === 'running' ? [uids.get(sandboxId) ?? '?'] : []));
  }

  /** Ends the nth of the running containers, as a fault of its program would. */
  async crashContainer(nth: number): Promise<void> {
    const running = (await this.runtime.listContainers({})).filter(({ state }) => state === 'running');
    const chosen = running[nth % running.length];
    if (chosen) this.runtime.crash(chosen.id, 1);
  }

  /** The same with all that is in its Pod. */
  async crashSandbox(nth: number): Promise<void> {
    const ready = (await this.runtime.listSandboxes({})).filter(({ ready }) => ready);
    const chosen = ready[nth % ready.length];
    if (chosen) this.runtime.crashSandbox(chosen.id);
  }

  /** The wire is cut: the machine works on, but hears nothing and is not heard. */
  cutOff(): void {
    this.#silent = true;
    this.#wire.refuse();
    this.#agent?.bus.disconnect();
  }

  reconnect(): void {
    this.#silent = false;
    this.#wire.accept();
    this.#agent?.bus.reconnect();
  }

  async startAgent(): Promise<void> {
    const { name, ip, hub, logger, clock } = this.#options;
    const [host = '', port = ''] = this.#wire.endpoint.split(':');
    this.#agent = await SimulatedProcess.start({
      name: `agent of ${name}`,
      address: this.#wire.endpoint,
      hub,
      logger,
      clock,
      parts: (client, bus) =>
        nodeAgent({
          nodeName: name,
          nodeIp: ip,
          machine,
          api: { host, port: Number(port) },
          client,
          bus,
          runtime: this.runtime,
          network: noNetwork,
          informers: nodeInformers({ client, bus, nodeName: name, logger, clock }),
          clusterDns: '10.96.0.10',
          stateDir: this.stateDir,
          heartbeatMs: 10_000,
          usageMs: 10_000,
          machineUsage: async () => ({ cpuNanoseconds: BigInt(clock.now()) * 1_000_000n, memoryBytes: 2n ** 30n }),
          logger,
          metrics: createMetrics('node-agent', { process: false }),
          clock,
        }),
    });
    if (this.#silent) this.#agent.bus.disconnect();
  }

  /** The agent is killed; what runs on the machine runs on. A successor need not wait for what is left of it. */
  killAgent(): void {
    if (this.#agent) this.#ends.push(this.#agent.kill());
    this.#agent = undefined;
  }

  async stop(): Promise<void> {
    this.reconnect();
    await this.#agent?.stop();
    await Promise.all(this.#ends);
    await this.#wire.stop();
  }
}

function programOf({ image, env }: ContainerConfig): FakeProgram {
  const [, does = '', number = ''] = /:(?:(exits|ends|fails-on)-)?(\w+)$/.exec(image) ?? [];
  if (does === 'exits') return { exitsWith: Number(number) };
  if (does === 'ends') return { onTerm: Number(number) };
  if (does === 'fails-on') {
    const index = env.find(({ name }) => name === 'JOB_COMPLETION_INDEX')?.value;
    return { exitsWith: index === number ? 1 : 0 };
  }
  return number === 'broken' ? { exitsWith: 1 } : {};
}
