import { mkdir } from 'node:fs/promises';
import { NatsBus } from '@navarch/bus';
import { createClient } from '@navarch/client';
import { type Component, createLogger, createMetrics, formatAddress, runService, systemClock } from '@navarch/kit';
import { config } from './config.ts';
import { Network } from './network/index.ts';
import { readMachine } from './node/machine.ts';
import { ownAddress } from './node/node-ip.ts';
import { nodeAgent, nodeInformers } from './node-agent.ts';
import { CriRuntime } from './runtime/cri-runtime.ts';
import { simulatedNodes } from './simulate/simulated-nodes.ts';
import { readMachineUsage } from './usage/machine-usage.ts';

const settings = config.readOrExit();
const { nodeName, stateDir, clusterDns, api, heartbeatMs, usageMs } = settings;
const clock = systemClock;
const logger = createLogger({ name: 'node-agent', level: settings.logLevel });
const metrics = createMetrics('node-agent');
await mkdir(stateDir, { recursive: true, mode: 0o755 });
const client = createClient({ address: formatAddress(api), logger, clock, program: 'node-agent' });
const bus = NatsBus.connect({ servers: settings.nats, name: `node-agent ${nodeName}`, logger });
const common = { api, client, bus, clusterDns, stateDir, heartbeatMs, usageMs, logger, metrics, clock };

await runService({
  name: 'node-agent',
  logger,
  metrics: { listen: settings.metrics, metrics },
  components: [
    { name: 'client', start: async () => {}, stop: async () => client.close() },
    { name: 'bus', start: async () => {}, stop: () => bus.close() },
    ...(settings.simulate > 0 ? simulation() : await realNode()),
  ],
});

async function realNode(): Promise<readonly Component[]> {
  const nodeIp = settings.nodeIp ?? (await ownAddress());
  const informers = nodeInformers({ client, bus, nodeName, logger, clock });
  const network = new Network({
    informers,
    nodeName,
    nodeIp,
    clusterCidr: settings.clusterCidr.text,
    serviceCidr: settings.serviceCidr.text,
    clusterDns,
    stateDir,
    cniConfDir: settings.cniConfDir,
    reservedPorts: [settings.metrics.port, api.port],
    logger,
    metrics,
    clock,
  });
  const runtime = new CriRuntime({ socket: settings.containerd, stateDir });
  const machine = await readMachine(stateDir);
  const machineUsage = readMachineUsage;
  return nodeAgent({ ...common, nodeName, nodeIp, machine, machineUsage, runtime, informers, network });
}

function simulation(): readonly Component[] {
  return simulatedNodes({
    ...common,
    count: settings.simulate,
    prefix: nodeName,
    seed: settings.simulateSeed,
    behaviour: {
      startMs: settings.simulateStartMs,
      startSpread: settings.simulateSpread,
      failures: settings.simulateFailures,
    },
    cpuMillis: settings.simulateCpu * 1000,
    memoryBytes: settings.simulateMemoryGib * 2 ** 30,
  });
}
