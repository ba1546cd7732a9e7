import { createClient, Connection } from '@navarch/client';
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
import { Gateway } from './gateway.ts';
import { everybodyIsAnonymous } from './identity.ts';
import { tlsFiles } from './tls-files.ts';

const config = defineConfig(
  {
    name: 'navarch-gateway',
    description: 'Serves the Kubernetes HTTP API, for kubectl and everything that speaks it.',
  },
  {
    listen: {
      flag: '--listen <address>',
      env: 'NAVARCH_GATEWAY_LISTEN',
      default: '127.0.0.1:7443',
      description: 'where to serve HTTPS',
      parse: address,
    },
    api: {
      flag: '--api <address>',
      env: 'NAVARCH_API',
      default: '127.0.0.1:7400',
      description: 'the api',
      parse: text,
    },
    state: {
      flag: '--state-dir <folder>',
      env: 'NAVARCH_GATEWAY_STATE_DIR',
      default: '/var/lib/navarch/gateway',
      description: 'where certificates and keys are kept',
      parse: text,
    },
    names: {
      flag: '--names <list>',
      env: 'NAVARCH_GATEWAY_NAMES',
      default: 'localhost,127.0.0.1,::1',
      description: 'names and addresses that clients know it by: its certificate is made for them',
      parse: text,
    },
    metrics: {
      flag: '--metrics <address>',
      env: 'NAVARCH_METRICS',
      default: '127.0.0.1:7414',
      description: 'where to serve /metrics, /healthz and /readyz',
      parse: address,
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

const logger = createLogger({ name: 'gateway', level: config.logLevel });
const metrics = createMetrics('gateway');
const client = createClient({ address: config.api, logger, program: 'gateway' });
const connection = new Connection({ address: config.api, logger, clock: systemClock, program: 'gateway' });
const gateway = new Gateway({
  listen: config.listen,
  tls: () => tlsFiles(config.state, config.names.split(',')),
  client,
  connection,
  authenticator: everybodyIsAnonymous,
  identityMetadata: () => undefined,
  filters: [],
  subresources: () => [],
  virtual: () => [],
  version: '0.1.0',
  clock: systemClock,
  logger,
  random: Math.random,
});

await runService({
  name: 'gateway',
  logger,
  metrics: { listen: config.metrics, metrics, checks: [gateway.notReady] },
  components: [
    {
      name: 'client',
      start: async () => {},
      stop: async () => {
        client.close();
        connection.close();
      },
    },
    ...gateway.components,
  ],
});
