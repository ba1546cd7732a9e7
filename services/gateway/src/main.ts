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
import { AccessReviews } from './access/access-reviews.ts';
import { RequestAuthenticator } from './access/authenticator.ts';
import { putIdentity } from './access/identity-metadata.ts';
import { Impersonation } from './access/impersonation.ts';
import { pathFilter } from './access/path-filter.ts';
import { TokenReviews } from './access/token-reviews.ts';
import { fairnessFilter, usualShares } from './fairness/fairness-filter.ts';
import { Gateway } from './gateway.ts';
import { tokenSubresource } from './subresources/token.ts';
import { serverNames } from './tls/server-names.ts';
import { ServingCertificate } from './tls/serving-certificate.ts';
import { accessReviews } from './virtual/access-reviews.ts';
import { usageMetrics } from './virtual/metrics.ts';
import { selfSubjectReviews } from './virtual/self-subject-review.ts';
import { tokenReviews } from './virtual/token-reviews.ts';

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
const reviews = new AccessReviews(connection);
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
  authenticator: new RequestAuthenticator({
    tokens: new TokenReviews({ connection, clock: systemClock }),
    impersonation: new Impersonation(reviews),
  }),
  identityMetadata: putIdentity,
  filters: [fairnessFilter({ ...usualShares, waitMs: 15_000, clock: systemClock }), pathFilter(reviews)],
  subresources: (api) => [tokenSubresource(api)],
  virtual: (api) => [selfSubjectReviews(reviews), ...accessReviews(api), tokenReviews(api), ...usageMetrics(api)],
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
    certificate,
    ...gateway.components,
  ],
});
