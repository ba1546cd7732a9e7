import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { NatsBus } from '@navarch/bus';
import { createClient, createInformerSet } from '@navarch/client';
import { ApiEventRecorder, LeaderElector, LeaderWork } from '@navarch/controller';
import { node, pod } from '@navarch/kinds';
import { address, createLogger, createMetrics, defineConfig, logLevels, oneOf, runService, text } from '@navarch/kit';
import { defaultProfiles, profiles } from './profiles.ts';
import { Scheduler } from './scheduler.ts';

const config = defineConfig(
  { name: 'navarch-scheduler', description: 'Gives Pods their nodes.' },
  {
    api: {
      flag: '--api <address>',
      env: 'NAVARCH_API',
      default: '127.0.0.1:7400',
      description: 'the api',
      parse: text,
    },
    nats: {
      flag: '--nats <urls>',
      env: 'NAVARCH_NATS',
      default: 'nats://127.0.0.1:7430',
      description: 'NATS, several servers separated by commas',
      parse: text,
    },
    metrics: {
      flag: '--metrics <address>',
      env: 'NAVARCH_METRICS',
      default: '127.0.0.1:7411',
      description: 'where to serve /metrics, /healthz and /readyz',
      parse: address,
    },
    profiles: {
      flag: '--profiles <list>',
      env: 'NAVARCH_PROFILES',
      default: defaultProfiles,
      description: 'which schedulerName places Pods by which strategy',
      parse: profiles,
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

const logger = createLogger({ name: 'scheduler', level: config.logLevel });
const metrics = createMetrics('scheduler');
const client = createClient({ address: config.api, logger });
const bus = NatsBus.connect({ servers: config.nats.split(','), name: 'scheduler', logger });
const informers = createInformerSet({ api: client.raw, bus, targets: [{ kind: node }, { kind: pod }], logger });
const recorder = new ApiEventRecorder({ client, component: 'scheduler', logger, metrics });
const scheduler = new Scheduler({ client, informers, recorder, profiles: config.profiles, logger, metrics });
const elector = new LeaderElector({
  client,
  name: 'scheduler',
  identity: `${hostname()}_${randomUUID()}`,
  logger,
  metrics,
});

await runService({
  name: 'scheduler',
  logger,
  metrics: {
    listen: config.metrics,
    metrics,
    checks: [() => (informers.revision > 0n ? undefined : 'the caches are not filled')],
  },
  components: [
    { name: 'client', start: async () => {}, stop: async () => client.close() },
    { name: 'bus', start: async () => {}, stop: () => bus.close() },
    recorder,
    new LeaderWork({ name: 'scheduling', informers, elector, logger }, (term) => scheduler.lead(term)),
  ],
});
