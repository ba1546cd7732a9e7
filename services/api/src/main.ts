import { NatsBus } from '@navarch/bus';
import {
  address,
  cidr,
  createLogger,
  createMetrics,
  defineConfig,
  integer,
  logLevels,
  oneOf,
  runService,
  systemClock,
  text,
} from '@navarch/kit';
import { EtcdMaintenance, EtcdStore } from '@navarch/store';
import { Api, defaultStorageLimits } from './api.ts';
import { storeMetrics } from './grpc/store-metrics.ts';
import { usualTolerationSeconds } from './pipeline/admission/tolerations.ts';
import { usualTimes } from './storage/care-plan.ts';

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
    etcdQuota: {
      flag: '--etcd-quota <bytes>',
      env: 'NAVARCH_ETCD_QUOTA',
      default: String(defaultStorageLimits.quotaBytes),
      description: 'what etcd may take on disk: the same as its --quota-backend-bytes',
      parse: integer({ min: 1024 ** 2 }),
    },
    storageWatermark: {
      flag: '--storage-watermark <percent>',
      env: 'NAVARCH_STORAGE_WATERMARK',
      default: String(100 * defaultStorageLimits.watermark),
      description: 'how full etcd may be, in percent of its quota, before nothing new is created',
      parse: integer({ min: 1, max: 100 }),
    },
    storeHistoryMinutes: {
      flag: '--store-history-minutes <number>',
      env: 'NAVARCH_STORE_HISTORY_MINUTES',
      default: String(usualTimes.keepMs / 60_000),
      description:
        'how long etcd keeps history, at least, while there is room: reads of the past and watches live on it',
      parse: integer({ min: 1, max: 1440 }),
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
    notReadyTolerationSeconds: {
      flag: '--default-not-ready-toleration-seconds <number>',
      env: 'NAVARCH_DEFAULT_NOT_READY_TOLERATION_SECONDS',
      default: String(usualTolerationSeconds.notReady),
      description: 'for how long a Pod stays on a node that is not ready, unless its tolerations say otherwise',
      parse: integer({ min: 0 }),
    },
    unreachableTolerationSeconds: {
      flag: '--default-unreachable-toleration-seconds <number>',
      env: 'NAVARCH_DEFAULT_UNREACHABLE_TOLERATION_SECONDS',
      default: String(usualTolerationSeconds.unreachable),
      description: 'for how long a Pod stays on a node that is not heard of, unless its tolerations say otherwise',
      parse: integer({ min: 0 }),
    },
    historyVersions: {
      flag: '--history-versions <number>',
      env: 'NAVARCH_HISTORY_VERSIONS',
      default: '10',
      description: 'how many past versions of each object are kept in NATS',
      parse: integer({ min: 1, max: 64 }),
    },
    historyMebibytes: {
      flag: '--history-mebibytes <number>',
      env: 'NAVARCH_HISTORY_MEBIBYTES',
      default: '256',
      description: 'how much room all of them take there at most; the oldest go first',
      parse: integer({ min: 1 }),
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
const maintenance = new EtcdMaintenance({ endpoints: config.etcd });
const api = new Api({
  store,
  maintenance,
  careTimes: { ...usualTimes, keepMs: config.storeHistoryMinutes * 60_000 },
  storageLimits: { quotaBytes: config.etcdQuota, watermark: config.storageWatermark / 100 },
  bus,
  clock: systemClock,
  logger,
  metrics,
  listen: config.listen,
  advertise: config.advertise,
  serviceCidr: config.serviceCidr,
  tolerationSeconds: {
    notReady: config.notReadyTolerationSeconds,
    unreachable: config.unreachableTolerationSeconds,
  },
  history: { versions: config.historyVersions, maxBytes: config.historyMebibytes * 1024 * 1024 },
  version: '0.1.0',
});

await runService({
  name: 'api',
  logger,
  metrics: { listen: config.metrics, metrics, checks: [() => api.notReady()], remarks: [() => api.remark()] },
  components: [
    { name: 'store', start: async () => {}, stop: () => store.close() },
    { name: 'maintenance of the store', start: async () => {}, stop: () => maintenance.close() },
    { name: 'bus', start: async () => {}, stop: () => bus.close() },
    api,
  ],
});
