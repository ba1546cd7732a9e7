import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { NatsBus } from '@navarch/bus';
import { createClient } from '@navarch/client';
import {
  address,
  type Cidr,
  cidr,
  createLogger,
  createMetrics,
  defineConfig,
  durationMs,
  Expected,
  logLevels,
  oneOf,
  type Parser,
  runService,
  systemClock,
  text,
} from '@navarch/kit';
import { controllerManager } from './controller-manager.ts';

/** Nodes get a /24 each. */
const podNetwork: Parser<Cidr> = (given) => {
  const network = cidr(given);
  if (network.family !== 4 || network.prefixLength > 24)
    throw new Expected('an IPv4 network of /24 or larger, like 10.244.0.0/16');
  return network;
};

const config = defineConfig(
  {
    name: 'navarch-controller-manager',
    description: 'Brings what is there towards what is wanted: Deployments, endpoints, nodes, garbage.',
  },
  {
    api: {
      flag: '--api <address>',
      env: 'NAVARCH_API',
      default: '127.0.0.1:7400',
      description: 'the api',
      parse: address,
    },
    nats: {
      flag: '--nats <url>',
      env: 'NAVARCH_NATS',
      default: 'nats://127.0.0.1:7430',
      description: 'NATS',
      parse: text,
    },
    metrics: {
      flag: '--metrics <address>',
      env: 'NAVARCH_METRICS',
      default: '127.0.0.1:7412',
      description: 'where to serve /metrics, /healthz and /readyz',
      parse: address,
    },
    clusterCidr: {
      flag: '--cluster-cidr <network>',
      env: 'NAVARCH_CLUSTER_CIDR',
      default: '10.244.0.0/16',
      description: 'where nodes get their Pod addresses from, a /24 each',
      parse: podNetwork,
    },
    nodeGraceMs: {
      flag: '--node-grace-ms <duration>',
      env: 'NAVARCH_NODE_GRACE_MS',
      default: '40s',
      description: 'how long a node may be silent before it counts as not ready',
      parse: durationMs,
    },
    evictionMs: {
      flag: '--eviction-ms <duration>',
      env: 'NAVARCH_EVICTION_MS',
      default: '60s',
      description: 'how much longer before its Pods are moved',
      parse: durationMs,
    },
    autoscaleMs: {
      flag: '--autoscale-ms <duration>',
      env: 'NAVARCH_AUTOSCALE_MS',
      default: '15s',
      description: 'how often what is measured decides anew how many Pods there are',
      parse: durationMs,
    },
    logLevel: {
      flag: '--log-level <level>',
      env: 'NAVARCH_LOG_LEVEL',
      default: 'info',
      description: 'what to log',
      parse: oneOf(...logLevels),
    },
  },
).readOrExit();

const logger = createLogger({ name: 'controller-manager', level: config.logLevel });
const metrics = createMetrics('controller-manager');
const client = createClient({
  address: `${config.api.host}:${config.api.port}`,
  logger,
  program: 'controller-manager',
});
const bus = NatsBus.connect({ servers: config.nats.split(','), name: 'controller-manager', logger });

await runService({
  name: 'controller-manager',
  logger,
  metrics: { listen: config.metrics, metrics },
  components: [
    { name: 'client', start: async () => {}, stop: async () => client.close() },
    { name: 'bus', start: async () => {}, stop: () => bus.close() },
    ...controllerManager({
      client,
      bus,
      identity: `${hostname()}_${randomUUID()}`,
      clusterCidr: config.clusterCidr.text,
      nodes: { graceMs: config.nodeGraceMs, evictionMs: config.evictionMs },
      autoscaleMs: config.autoscaleMs,
      logger,
      metrics,
      clock: systemClock,
    }),
  ],
});
