import { mkdir } from 'node:fs/promises';
import { NatsBus } from '@navarch/bus';
import { createClient } from '@navarch/client';
import { createLogger, createMetrics, formatAddress, runService, systemClock } from '@navarch/kit';
import { config } from './config.ts';
import { Network } from './network/index.ts';
import { readMachine } from './node/machine.ts';
import { ownAddress } from './node/node-ip.ts';
import { nodeAgent } from './node-agent.ts';
import { CriRuntime } from './runtime/cri-runtime.ts';

const settings = config.readOrExit();
const { nodeName, stateDir, clusterDns, api } = settings;
const clock = systemClock;
const logger = createLogger({ name: 'node-agent', level: settings.logLevel });
const metrics = createMetrics('node-agent');
await mkdir(stateDir, { recursive: true, mode: 0o755 });
const nodeIp = settings.nodeIp ?? (await ownAddress());

await runService({
  name: 'node-agent',
  logger,
  metrics: { listen: settings.metrics, metrics },
  components: nodeAgent({
    nodeName,
    nodeIp,
    machine: await readMachine(stateDir),
    api,
    client: createClient({ address: formatAddress(api), logger, clock, program: 'node-agent' }),
    bus: NatsBus.connect({ servers: settings.nats, name: `node-agent ${nodeName}`, logger }),
    runtime: new CriRuntime({ socket: settings.containerd, stateDir }),
    network: (informers) =>
      new Network({
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
      }),
    clusterDns,
    stateDir,
    heartbeatMs: settings.heartbeatMs,
    logger,
    metrics,
    clock,
  }),
});
