import { createClient, Connection } from '@navarch/client';
import {
  address,
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
import { accessParts } from './access/access-parts.ts';
import { auditing, auditPolicyFile } from './audit/auditing.ts';
import { fairnessFilter, usualShares } from './fairness/fairness-filter.ts';
import { Gateway } from './gateway.ts';
import { serverNames } from './tls/server-names.ts';
import { ServingCertificate } from './tls/serving-certificate.ts';
import { usageMetrics } from './virtual/metrics.ts';

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
    names: {
      flag: '--tls-san <list>',
      env: 'NAVARCH_GATEWAY_TLS_SAN',
      description: 'names and addresses that clients know it by, beside those of this machine: for its certificate',
      parse: text,
    },
    auditLog: {
      flag: '--audit-log <file>',
      env: 'NAVARCH_AUDIT_LOG',
      description: 'where to write who did what; nothing is written when this is not set',
      parse: text,
    },
    auditPolicy: {
      flag: '--audit-policy <file>',
      env: 'NAVARCH_AUDIT_POLICY',
      description: 'what of it to write: an audit.k8s.io/v1 Policy; default: who did what, without bodies',
      parse: auditPolicyFile,
    },
    auditMebibytes: {
      flag: '--audit-mebibytes <number>',
      env: 'NAVARCH_AUDIT_MEBIBYTES',
      default: '100',
      description: 'how large the file becomes before a new one is begun',
      parse: integer({ min: 1 }),
    },
    auditBackups: {
      flag: '--audit-backups <number>',
      env: 'NAVARCH_AUDIT_BACKUPS',
      default: '5',
      description: 'how many older files are kept',
      parse: integer({ min: 0, max: 1000 }),
    },
    maxInFlight: {
      flag: '--max-in-flight <number>',
      env: 'NAVARCH_GATEWAY_MAX_IN_FLIGHT',
      default: String(usualShares.inFlight),
      description: 'how many requests are worked on at once, watches and streams left aside',
      parse: integer({ min: 1 }),
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
const audit = auditing({
  path: config.auditLog,
  policy: config.auditPolicy,
  maxBytes: config.auditMebibytes * 1024 * 1024,
  backups: config.auditBackups,
  clock: systemClock,
  logger,
  metrics,
});
const access = accessParts({ connection, clock: systemClock });
const certificate = new ServingCertificate({
  connection,
  names: serverNames(config.names?.split(',') ?? []),
  clock: systemClock,
  logger,
  onRenewed: (tls) => gateway.renew(tls),
});
const gateway = new Gateway({
  listen: config.listen,
  tls: async () => certificate.current,
  client,
  connection,
  ...access,
  filters: [
    ...audit.filters,
    fairnessFilter({ ...usualShares, inFlight: config.maxInFlight, waitMs: 15_000, clock: systemClock }),
    ...access.filters,
  ],
  virtual: (api) => [...access.virtual(api), ...usageMetrics(api)],
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
    ...audit.components,
    certificate,
    ...gateway.components,
  ],
});
