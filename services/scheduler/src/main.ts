import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { NatsBus } from '@navarch/bus';
import { createClient } from '@navarch/client';
import {
  address,
  createLogger,
  createMetrics,
  defineConfig,
  logLevels,
  oneOf,
  runService,
  systemClock,
  text,
} from '@navarch/kit';
import { defaultProfiles } from './profiles.ts';
import { configurationFile } from './profiles-file.ts';
import { schedulerService } from './scheduler-service.ts';

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
    configuration: {
      flag: '--config <file>',
      env: 'NAVARCH_SCHEDULER_CONFIG',
      description:
        'the YAML file that says which schedulerName places Pods in which way, and whether Pods are moved; default: built-in profiles, and none is',
      parse: configurationFile,
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
const client = createClient({ address: config.api, logger, program: 'scheduler' });
const bus = NatsBus.connect({ servers: config.nats.split(','), name: 'scheduler', logger });
const scheduler = schedulerService({
  client,
  bus,
  identity: `${hostname()}_${randomUUID()}`,
  ...(config.configuration ?? { profiles: defaultProfiles }),
  logger,
  metrics,
  clock: systemClock,
});

await runService({
  name: 'scheduler',
  logger,
  metrics: { listen: config.metrics, metrics, checks: [scheduler.notReady] },
  components: [
    { name: 'client', start: async () => {}, stop: async () => client.close() },
    { name: 'bus', start: async () => {}, stop: () => bus.close() },
    ...scheduler.components,
  ],
});
