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
  integer,
  logLevels,
  oneOf,
  type Parser,
  runService,
  systemClock,
  text,
} from '@navarch/kit';
import { controllerManager } from './controller-manager.ts';
import { usualZoneSettings } from './node/zones.ts';
import { usualPodGarbage } from './pod-gc/reconcile.ts';

/** Nodes get a /24 each. */
const podNetwork: Parser<Cidr> = (given) => {
  const network = cidr(given);
  if (network.family !== 4 || network.prefixLength > 24)
    throw new Expected('an IPv4 network of /24 or larger, like 10.244.0.0/16');
  return network;
};

const rate: Parser<number> = (given) => {
  const value = Number(given);
  if (given.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new Expected('a number that is 0 or more, like 0.1');
  return value;
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
    evictionRate: {
      flag: '--node-eviction-rate <number>',
      env: 'NAVARCH_NODE_EVICTION_RATE',
      default: String(usualZoneSettings.rate),
      description: 'of how many nodes a second that fail Pods are moved off, in each zone',
      parse: rate,
    },
    secondaryEvictionRate: {
      flag: '--secondary-node-eviction-rate <number>',
      env: 'NAVARCH_SECONDARY_NODE_EVICTION_RATE',
      default: String(usualZoneSettings.secondaryRate),
      description: 'the same in a large zone where most nodes fail; in a small one it is 0',
      parse: rate,
    },
    largeZone: {
      flag: '--large-cluster-size-threshold <number>',
      env: 'NAVARCH_LARGE_CLUSTER_SIZE_THRESHOLD',
      default: String(usualZoneSettings.largeZone),
      description: 'more nodes than so many make a zone large',
      parse: integer({ min: 0 }),
    },
    mostOver: {
      flag: '--terminated-pod-gc-threshold <number>',
      env: 'NAVARCH_TERMINATED_POD_GC_THRESHOLD',
      default: String(usualPodGarbage.mostOver),
      description: 'how many Pods that are over are kept to be looked at',
      parse: integer({ min: 0 }),
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
      autoscaleMs: config.autoscaleMs,
      nodes: { graceMs: config.nodeGraceMs },
      zones: {
        rate: config.evictionRate,
        secondaryRate: config.secondaryEvictionRate,
        largeZone: config.largeZone,
      },
      podGarbage: { ...usualPodGarbage, mostOver: config.mostOver },
      logger,
      metrics,
      clock: systemClock,
    }),
  ],
});
