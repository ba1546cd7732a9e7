import type { Clock } from '@navarch/kit';
import { ApiError, type Random, randomFrom } from '@navarch/machinery';
import { FakeRuntime } from '../runtime/fake-runtime.ts';
import type { ContainerConfig, ContainerUsage, RuntimeVersion, SandboxConfig } from '../runtime/runtime.ts';

/** How the machines of a simulation behave. */
export interface Behaviour {
  /** The median of the times that a sandbox and each container take to start, in milliseconds. They are log-normal. */
  readonly startMs: number;
  /** The standard deviation of those times' logarithm: 0 is always the median, 0.5 a fast and a slow tenth at half and double. */
  readonly startSpread: number;
  /** The share of container starts that are refused, from 0 to 1. */
  readonly failures: number;
}

/** Memory of a container that asks for none. */
const memoryBytes = 64 * 2 ** 20;
/** Processor time of a container that asks for none, in thousandths of a core. */
const cpuMillis = 100;

export interface SimulatedRuntimeOptions {
  readonly behaviour: Behaviour;
  /** What all chance follows from: the same seed and the same calls make the same machine. */
  readonly seed: number;
  /** The first three numbers of its Pods' addresses. */
  readonly podNetwork: string;
  readonly clock: Clock;
}

/**
 * A machine that only pretends: its containers take time to start, fail now and then, and use a share of what they
 * request, all drawn from a seeded generator. Every image is there to be pulled.
 */
export class SimulatedRuntime extends FakeRuntime {
  readonly #options: SimulatedRuntimeOptions;
  readonly #random: Random;
  readonly #loads = new Map<string, Load>();

  constructor(options: SimulatedRuntimeOptions) {
    super({ now: () => options.clock.now(), podNetwork: options.podNetwork });
    this.#options = options;
    this.#random = randomFrom(options.seed);
  }

  override async version(): Promise<RuntimeVersion> {
    return { name: 'simulated', version: '1' };
  }

  override async runSandbox(config: SandboxConfig): Promise<string> {
    await this.#takesAWhile();
    return super.runSandbox(config);
  }

  override async createContainer(sandboxId: string, config: ContainerConfig): Promise<string> {
    const id = await super.createContainer(sandboxId, config);
    this.#loads.set(id, loadOf(config, this.#random));
    return id;
  }

  override async startContainer(id: string): Promise<void> {
    await this.#takesAWhile();
    if (this.#random.chance(this.#options.behaviour.failures)) {
      throw new ApiError('InternalError', 'the simulation lets this start fail');
    }
    await super.startContainer(id);
  }

  override async removeContainer(id: string): Promise<void> {
    this.#loads.delete(id);
    await super.removeContainer(id);
  }

  override async removeSandbox(id: string): Promise<void> {
    const inIt = (await this.listContainers({})).filter(({ sandboxId }) => sandboxId === id);
    for (const container of inIt) this.#loads.delete(container.id);
    await super.removeSandbox(id);
  }

  override async stats(): Promise<ContainerUsage[]> {
    const nowMs = this.#options.clock.now();
    const containers = await this.listContainers({});
    return containers.flatMap(({ id, labels, state, startedAtMs }) => {
      const load = this.#loads.get(id);
      if (state !== 'running' || load === undefined) return [];
      const cpuNanoseconds = BigInt(Math.round((nowMs - startedAtMs) * load.cpuMillis * 1000));
      return [
        {
          containerId: id,
          labels,
          timestampMs: nowMs,
          cpuNanoseconds,
          memoryWorkingSetBytes: BigInt(load.memoryBytes),
        },
      ];
    });
  }

  #takesAWhile(): Promise<void> {
    const { behaviour, clock } = this.#options;
    return clock.sleep(logNormal(behaviour.startMs, behaviour.startSpread, this.#random));
  }
}

/** What a running container uses all the time. */
interface Load {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

/** From a tenth to nine tenths of what it requests. */
function loadOf({ resources }: ContainerConfig, random: Random): Load {
  const share = () => 0.1 + 0.8 * random.next();
  // The kernel counts 1024 shares for a core, and 2 where nothing was asked for.
  const requested = resources.cpuShares > 2 ? (resources.cpuShares * 1000) / 1024 : cpuMillis;
  const memory = resources.memoryLimitBytes > 0 ? resources.memoryLimitBytes : memoryBytes;
  return { cpuMillis: share() * requested, memoryBytes: Math.round(share() * memory) };
}

/** A normal variable by Box and Muller's transform (1958), as the exponent. */
function logNormal(median: number, spread: number, random: Random): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return median * Math.exp(spread * normal);
}
