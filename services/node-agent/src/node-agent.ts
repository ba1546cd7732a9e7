import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { EventBus } from '@navarch/bus';
import { type ApiClient, createInformerSet, type InformerSet } from '@navarch/client';
import { ApiEventRecorder } from '@navarch/controller';
import { endpointSlice, node as nodeKind, persistentVolumeClaim, pod as podKind, service } from '@navarch/kinds';
import { type Address, type Clock, type Component, formatAddress, type Logger, type Metrics } from '@navarch/kit';
import { ClaimDirectories } from './claims/claim-directories.ts';
import { ClaimKeeper } from './claims/claim-keeper.ts';
import { NodeClaims } from './claims/claim-source.ts';
import { InformerComponent } from './informer-component.ts';
import { networkGate } from './network-gate.ts';
import type { Machine } from './node/machine.ts';
import { NodeReporter } from './node/node-reporter.ts';
import { ApiWriter } from './pod/api-writer.ts';
import { ApiConfigSource } from './pod/config-source.ts';
import { ImagePuller } from './pod/image-puller.ts';
import type { PodContext } from './pod/pod-context.ts';
import { PodManager } from './pod/pod-manager.ts';
import { StartLimit } from './pod/start-limit.ts';
import { Volumes } from './pod/volumes.ts';
import { LogRotation } from './runtime/log-rotation.ts';
import type { Runtime } from './runtime/runtime.ts';
import { PodAccess } from './session/pod-access.ts';
import { Session } from './session/session.ts';
import type { MachineUsage } from './usage/machine-usage.ts';
import { UsageReporter } from './usage/usage-reporter.ts';

const agentVersion = '0.1.0';
/** As many as Kubernetes runs on a node by default. */
const maxPods = 110;

/** What the agent needs of the node's network. `Network` is the real one. */
export type NodeNetworking = Component & Pick<PodContext, 'endpointRemoved'>;

export interface NodeAgentOptions {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly machine: Machine;
  /** Where the api listens: for the session that it opens streams over. */
  readonly api: Address;
  readonly client: ApiClient;
  readonly bus: EventBus;
  readonly runtime: Runtime;
  /** See `nodeInformers`. Not running yet; the agent runs them. */
  readonly informers: InformerSet;
  readonly network: NodeNetworking;
  readonly clusterDns: string;
  /** Where volumes and logs are kept. It is there. */
  readonly stateDir: string;
  readonly heartbeatMs: number;
  /** How often it tells what is used. */
  readonly usageMs: number;
  readonly machineUsage: () => Promise<MachineUsage>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** The caches of an agent: its own Pods, and what its network is made from. */
export function nodeInformers({
  client,
  bus,
  nodeName,
  logger,
  clock,
}: Pick<NodeAgentOptions, 'client' | 'bus' | 'nodeName' | 'logger' | 'clock'>): InformerSet {
  return createInformerSet({
    api: client.raw,
    bus,
    targets: [
      { kind: podKind, fieldSelector: `spec.nodeName=${nodeName}`, feedToken: nodeName },
      { kind: service },
      { kind: endpointSlice },
      { kind: nodeKind },
      { kind: persistentVolumeClaim, fieldSelector: `status.nodeName=${nodeName}`, feedToken: nodeName },
    ],
    logger,
    clock,
  });
}

/**
 * The whole agent of one node, as components in the order of their start. It closes the runtime as the last thing it
 * does; client and bus are lent.
 */
export function nodeAgent(options: NodeAgentOptions): readonly Component[] {
  const { nodeName, nodeIp, machine, api, client, bus, runtime, informers, network, stateDir, logger, metrics, clock } =
    options;
  const events = new ApiEventRecorder({ client, component: 'node-agent', host: nodeName, logger, clock, metrics });
  const source = new ApiConfigSource(client);
  const stopped = new AbortController();
  const podRoot = join(stateDir, 'pods');
  const directories = new ClaimDirectories(join(stateDir, 'claims'));
  const claims = new NodeClaims({ client, directories, nodeName });
  const pods = new PodManager(
    {
      runtime,
      puller: new ImagePuller(runtime),
      startLimit: new StartLimit(2 * availableParallelism()),
      volumes: new Volumes({ root: podRoot, config: source, claims, allocatable: machine }),
      config: source,
      writer: new ApiWriter({ client, clock, logger, signal: stopped.signal }),
      events,
      node: {
        nodeName,
        nodeIp,
        clusterDns: options.clusterDns,
        clusterDomain: 'cluster.local',
        logRoot: join(stateDir, 'logs'),
        memoryBytes: machine.memoryBytes,
        cpuMillis: machine.cpuMillis,
      },
      clock,
      logger,
      podRoot,
      networkReady: networkGate(runtime, clock),
      endpointRemoved: (key, longestMs, signal) => network.endpointRemoved(key, longestMs, signal),
    },
    informers,
  );
  const reporter = new NodeReporter({
    client,
    bus,
    runtime,
    pods: informers.lister(podKind),
    nodes: informers.lister(nodeKind),
    facts: async () => {
      return { name: nodeName, ip: nodeIp, machine, runtime: await runtime.version(), agentVersion, maxPods };
    },
    nodeName,
    heartbeatMs: options.heartbeatMs,
    clock,
    logger,
  });
  informers.onChange(nodeKind, ({ object }) => object.metadata.name === nodeName && reporter.poke());
  const access = new PodAccess({ pods: informers.lister(podKind), runtime, nodeName, clock });

  metrics.gauge({
    name: 'navarch_node_pods',
    help: 'Pods that this node looks after.',
    collect() {
      this.set(pods.size);
    },
  });

  return [
    {
      name: 'runtime',
      start: async () => {},
      stop: async () => {
        stopped.abort(new Error('the agent is being stopped'));
        runtime.close();
      },
    },
    events,
    new InformerComponent(informers),
    network,
    reporter,
    pods,
    new UsageReporter({
      nodeName,
      runtime,
      machineUsage: options.machineUsage,
      bus,
      intervalMs: options.usageMs,
      clock,
      logger,
    }),
    new ClaimKeeper({ client, informers, directories, clock, logger }),
    new LogRotation({ runtime, clock, logger, mostBytes: 10 << 20, keep: 3, intervalMs: 10_000 }),
    new Session({ address: formatAddress(api), nodeName, access, runtime, clock, logger }),
  ];
}
