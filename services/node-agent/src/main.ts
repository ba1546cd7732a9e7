import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { NatsBus } from '@navarch/bus';
import { createClient, createInformerSet } from '@navarch/client';
import { ApiEventRecorder } from '@navarch/controller';
import { endpointSlice, node as nodeKind, pod as podKind, service } from '@navarch/kinds';
import { createLogger, createMetrics, formatAddress, runService, systemClock } from '@navarch/kit';
import { config } from './config.ts';
import { InformerComponent } from './informer-component.ts';
import { Network } from './network/index.ts';
import { networkGate } from './network-gate.ts';
import { readMachine } from './node/machine.ts';
import { ownAddress } from './node/node-ip.ts';
import { NodeReporter } from './node/node-reporter.ts';
import { ApiWriter } from './pod/api-writer.ts';
import { ApiConfigSource } from './pod/config-source.ts';
import { ImagePuller } from './pod/image-puller.ts';
import { PodManager } from './pod/pod-manager.ts';
import { StartLimit } from './pod/start-limit.ts';
import { Volumes } from './pod/volumes.ts';
import { CriRuntime } from './runtime/cri-runtime.ts';
import { LogRotation } from './runtime/log-rotation.ts';
import { PodAccess } from './session/pod-access.ts';
import { Session } from './session/session.ts';

const agentVersion = '0.1.0';
/** As many as Kubernetes runs on a node by default. */
const maxPods = 110;

const settings = config.readOrExit();
const { nodeName, stateDir, clusterDns } = settings;
const clock = systemClock;
const logger = createLogger({ name: 'node-agent', level: settings.logLevel });
const metrics = createMetrics('node-agent');
await mkdir(stateDir, { recursive: true, mode: 0o755 });
const nodeIp = settings.nodeIp ?? (await ownAddress());
const machine = await readMachine(stateDir);
const podRoot = join(stateDir, 'pods');
const apiAddress = formatAddress(settings.api);

const bus = NatsBus.connect({ servers: settings.nats, name: `node-agent ${nodeName}`, logger });
const client = createClient({ address: apiAddress, logger, clock });
const runtime = new CriRuntime({ socket: settings.containerd, stateDir });
const informers = createInformerSet({
  api: client.raw,
  bus,
  targets: [
    { kind: podKind, fieldSelector: `spec.nodeName=${nodeName}`, feedToken: nodeName },
    { kind: service },
    { kind: endpointSlice },
    { kind: nodeKind },
  ],
  logger,
  clock,
});
const events = new ApiEventRecorder({ client, component: 'node-agent', host: nodeName, logger, clock, metrics });
const network = new Network({
  informers,
  nodeName,
  nodeIp,
  clusterCidr: settings.clusterCidr.text,
  serviceCidr: settings.serviceCidr.text,
  clusterDns,
  stateDir,
  cniConfDir: settings.cniConfDir,
  reservedPorts: [settings.metrics.port, settings.api.port],
  logger,
  metrics,
  clock,
});
const source = new ApiConfigSource(client);
const stopped = new AbortController();
const pods = new PodManager(
  {
    runtime,
    puller: new ImagePuller(runtime),
    startLimit: new StartLimit(2 * availableParallelism()),
    volumes: new Volumes({ root: podRoot, config: source }),
    config: source,
    writer: new ApiWriter({ client, clock, logger, signal: stopped.signal }),
    events,
    node: {
      nodeName,
      nodeIp,
      clusterDns,
      clusterDomain: 'cluster.local',
      logRoot: join(stateDir, 'logs'),
      memoryBytes: machine.memoryBytes,
      cpuMillis: machine.cpuMillis,
    },
    clock,
    logger,
    podRoot,
    networkReady: networkGate(runtime, clock),
    endpointRemoved: (key, signal) => network.endpointRemoved(key, signal),
  },
  informers,
);
const reporter = new NodeReporter({
  client,
  bus,
  runtime,
  pods: informers.lister(podKind),
  nodes: informers.lister(nodeKind),
  facts: async () => ({ name: nodeName, ip: nodeIp, machine, runtime: await runtime.version(), agentVersion, maxPods }),
  nodeName,
  heartbeatMs: settings.heartbeatMs,
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

await runService({
  name: 'node-agent',
  logger,
  metrics: { listen: settings.metrics, metrics },
  components: [
    { name: 'connections', start: async () => {}, stop: closeConnections },
    events,
    new InformerComponent(informers),
    network,
    reporter,
    pods,
    new LogRotation({ runtime, clock, logger, mostBytes: 10 << 20, keep: 3, intervalMs: 10_000 }),
    new Session({ address: apiAddress, nodeName, access, runtime, clock, logger }),
  ],
});

async function closeConnections(): Promise<void> {
  stopped.abort(new Error('the agent is being stopped'));
  runtime.close();
  client.close();
  await bus.close();
}
