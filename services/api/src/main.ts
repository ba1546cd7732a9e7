import { NatsBus } from '@navarch/bus';
import {
  address,
  cidr,
  createLogger,
  createMetrics,
  defineConfig,
  logLevels,
  oneOf,
  runService,
  systemClock,
  text,
} from '@navarch/kit';
import { EtcdStore } from '@navarch/store';
import { Api } from './api.ts';
import { storeMetrics } from './grpc/store-metrics.ts';

const config = defineConfig(
  {
    name: 'navarch-api',
    description: 'Serves every object of the cluster over gRPC. The only service that opens etcd.',
  },
  {
    etcd: {
      flag: '--etcd <address>',
      env: 'NAVARCH_ETCD',
      default: '127.0.0.1:7420',
      description: 'etcd',
      parse: text,
    },
    nats: {
      flag: '--nats <url>',
      env: 'NAVARCH_NATS',
      default: 'nats://127.0.0.1:7430',
      description: 'NATS',
      parse: text,
    },
    listen: {
      flag: '--listen <address>',
      env: 'NAVARCH_LISTEN',
      default: '127.0.0.1:7400',
      description: 'where to serve gRPC',
      parse: address,
    },
    advertise: {
      flag: '--advertise <address>',
      env: 'NAVARCH_ADVERTISE',
      description: 'where other replicas of the api reach this one; default: where it listens',
      parse: address,
    },
    metrics: {
      flag: '--metrics <address>',
      env: 'NAVARCH_METRICS',
      default: '127.0.0.1:7410',
      description: 'where to serve /metrics, /healthz and /readyz',
      parse: address,
    },
    serviceCidr: {
      flag: '--service-cidr <network>',
      env: 'NAVARCH_SERVICE_CIDR',
      default: '10.96.0.0/16',
      description: 'where Services get their addresses from',
      parse: cidr,
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

const logger = createLogger({ name: 'api', level: config.logLevel });
const metrics = createMetrics('api');
const store = new EtcdStore({ endpoints: config.etcd, logger, observer: storeMetrics(metrics) });
const bus = NatsBus.connect({ servers: config.nats.split(','), name: 'api', logger });
const api = new Api({
  store,
  bus,
  clock: systemClock,
  logger,
  metrics,
  listen: config.listen,
  advertise: config.advertise,
  serviceCidr: config.serviceCidr,
  version: '0.1.0',
});

await runService({
  name: 'api',
  logger,
  metrics: { listen: config.metrics, metrics, checks: [() => api.notReady()] },
  components: [
    { name: 'store', start: async () => {}, stop: () => store.close() },
    { name: 'bus', start: async () => {}, stop: () => bus.close() },
    api,
  ],
});
