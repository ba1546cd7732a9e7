import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import type { EventBus } from '@navarch/bus';
import { type ApiClient, createInformerSet } from '@navarch/client';
import { node as nodeKind, pod as podKind } from '@navarch/kinds';
import {
  type Address,
  type Clock,
  type Component,
  Components,
  createMetrics,
  type Logger,
  type Metrics,
} from '@navarch/kit';
import { InformerComponent } from '../informer-component.ts';
import type { Machine } from '../node/machine.ts';
import { nodeAgent, type NodeNetworking } from '../node-agent.ts';
import type { MachineUsage } from '../usage/machine-usage.ts';
import { SharedInformers } from './shared-informers.ts';
import { type Behaviour, SimulatedRuntime } from './simulated-runtime.ts';

export interface SimulatedNodesOptions {
  readonly count: number;
  /** Nodes are called `<prefix>-0` and so on. */
  readonly prefix: string;
  readonly seed: number;
  readonly behaviour: Behaviour;
  /** What each node has. */
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly api: Address;
  readonly client: ApiClient;
  readonly bus: EventBus;
  readonly clusterDns: string;
  readonly stateDir: string;
  readonly heartbeatMs: number;
  readonly usageMs: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** So many nodes are started at once. */
const startedAtOnce = 32;

/** Nobody sends these Pods anything. */
const noNetwork: NodeNetworking = { name: 'network', start: async () => {}, endpointRemoved: async () => {} };

/**
 * Many nodes in one process, for a cluster of thousands on one machine. Each is a whole agent with its own session,
 * heartbeats, status reports and events; what they share are the connections and the caches, and none runs anything.
 */
export function simulatedNodes(options: SimulatedNodesOptions): readonly Component[] {
  const { count, client, bus, logger, metrics, clock } = options;
  const informers = createInformerSet({
    api: client.raw,
    bus,
    targets: [{ kind: podKind }, { kind: nodeKind }],
    logger,
    clock,
  });
  const shared = new SharedInformers(informers);
  const nodes = Array.from({ length: count }, (_, number) => simulatedNode(options, shared, number));
  metrics.gauge({
    name: 'navarch_simulated_nodes',
    help: 'Nodes that this process pretends to be.',
    collect() {
      this.set(count);
    },
  });
  return [
    new InformerComponent(informers),
    {
      name: 'simulated nodes',
      start: async (signal) => {
        for (let at = 0; at < nodes.length; at += startedAtOnce) {
          await Promise.all(nodes.slice(at, at + startedAtOnce).map((node) => node.start(signal)));
        }
        logger.info({ nodes: count }, 'the simulated nodes have been started');
      },
      stop: async () => {
        await Promise.all(nodes.map((node) => node.stop()));
      },
    },
  ];
}

function simulatedNode(options: SimulatedNodesOptions, shared: SharedInformers, number: number): Components {
  const { prefix, seed, behaviour, stateDir, logger, clock } = options;
  const nodeName = `${prefix}-${number}`;
  const dir = join(stateDir, nodeName);
  const components = nodeAgent({
    ...options,
    nodeName,
    nodeIp: addressOf(number),
    machine: machineOf(options),
    machineUsage: async () => idleMachine(clock.now()),
    informers: shared.of(nodeName),
    runtime: new SimulatedRuntime({ behaviour, seed: seed + number, podNetwork: networkOf(number), clock }),
    network: noNetwork,
    stateDir: dir,
    metrics: createMetrics('node-agent', { process: false }),
  });
  const home = { name: 'state folder', start: async () => void (await mkdir(dir, { recursive: true, mode: 0o755 })) };
  return new Components({ name: nodeName, components: [home, ...components], logger });
}

function machineOf({ cpuMillis, memoryBytes }: SimulatedNodesOptions): Machine {
  return {
    cpuMillis,
    memoryBytes,
    diskBytes: 100e9,
    machineId: '',
    bootId: '',
    kernelVersion: '',
    osImage: 'simulated',
    architecture: 'amd64',
  };
}

/** A tenth of a core and a quarter of a gibibyte, whatever its Pods are said to use. */
function idleMachine(nowMs: number): MachineUsage {
  return { cpuNanoseconds: BigInt(nowMs) * 100_000n, memoryBytes: 2n ** 28n };
}

/** 10.0.0.0/8 holds 65,536 networks of a node's size; addresses of more nodes than that occur twice. */
function networkOf(number: number): string {
  return `10.${Math.floor(number / 256) % 256}.${number % 256}`;
}

/** In 100.64.0.0/10, which is on no network (RFC 6598). */
function addressOf(number: number): string {
  return `100.${64 + (Math.floor(number / 65_536) % 64)}.${Math.floor(number / 256) % 256}.${number % 256}`;
}
