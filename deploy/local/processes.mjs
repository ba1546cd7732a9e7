import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { registryProcess } from '../images/registry.mjs';
import { places } from './config.mjs';
import { containerdProcess } from './containerd.mjs';
import { containerdSocket } from './containerd-config.mjs';
import { nodeProgram, repository } from './workspace.mjs';

/**
 * One process of the cluster, as data: the supervisor keeps it running, whatever it is.
 * @typedef {object} ProcessSpec
 * @property {string} name
 * @property {string} command
 * @property {string[]} args
 * @property {Record<string, string>} env on top of the supervisor's own
 * @property {string[]} after processes that must be ready before this one is started for the first time
 * @property {import('./ready.mjs').Probe} ready
 */

const cniBinDir = '/usr/lib/cni';

/**
 * The processes of a cluster, with their files written.
 * @param {import('./config.mjs').Config} config
 * @param {{ localRegistry: boolean }} found
 * @returns {Promise<ProcessSpec[]>} in starting order
 */
export async function planProcesses(config, { localRegistry }) {
  const place = places(config);
  for (const folder of [place.logs, place.etcd, place.nats]) await mkdir(folder, { recursive: true, mode: 0o700 });
  await mkdir(place.cniConf, { recursive: true });
  const registry = localRegistry ? `127.0.0.1:${config.ports.registry}` : null;
  const mirror = config.mirror ?? registry;
  const all = [
    etcd(config),
    await nats(config),
    ...(registry ? [await registrySpec(config, registry)] : []),
    await containerd(config, mirror),
    ...services(config),
  ];
  const kept = all.filter(({ name }) => !config.without.includes(name));
  const names = kept.map(({ name }) => name);
  return kept.map((spec) => ({ ...spec, after: spec.after.filter((name) => names.includes(name)) }));
}

/** @param {import('./config.mjs').Config} config @returns {ProcessSpec} */
function etcd({ ports, ...config }) {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports['etcd-peer']}`;
  const flags = {
    name: 'navarch',
    'data-dir': places(config).etcd,
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `navarch=${peer}`,
    'quota-backend-bytes': String(config.etcdQuota),
    logger: 'zap',
    // Alone, it has nobody to hear from: a short election only lets it serve sooner after a start.
    'heartbeat-interval': '20',
    'election-timeout': '200',
  };
  return {
    name: 'etcd',
    command: 'etcd',
    args: Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
    // etcd 3.4 refuses to run on arm64 unless told so.
    env: process.arch === 'arm64' ? { ETCD_UNSUPPORTED_ARCH: 'arm64' } : {},
    after: [],
    ready: { http: `${client}/health` },
  };
}

/** @param {import('./config.mjs').Config} config @returns {Promise<ProcessSpec>} */
async function nats(config) {
  const place = places(config);
  const file = join(place.nats, 'nats.conf');
  const limits = '{ store_dir: "%s", max_memory_store: 64MB, max_file_store: 1GB }';
  const listen = `listen: "${config.host}:${config.ports.nats}"`;
  await writeFile(file, `${listen}\njetstream: ${limits.replace('%s', join(place.nats, 'data'))}\n`);
  return {
    name: 'nats',
    command: 'nats-server',
    args: ['-c', file],
    env: {},
    after: [],
    ready: { tcp: `${reachable(config.host)}:${config.ports.nats}` },
  };
}

/** @param {import('./config.mjs').Config} config @param {string} address @returns {Promise<ProcessSpec>} */
async function registrySpec(config, address) {
  const home = places(config).registry;
  const run = await registryProcess({ home, port: config.ports.registry });
  return { name: 'registry', ...run, after: [], ready: { http: `http://${address}/v2/` } };
}

/** @param {import('./config.mjs').Config} config @param {string | null} registry @returns {Promise<ProcessSpec>} */
async function containerd({ home, run }, registry) {
  const process = await containerdProcess({ home, run, registry, cniBinDir });
  return { name: 'containerd', ...process, after: [], ready: { cri: containerdSocket(run) } };
}

/** How Node runs the api. */
const apiNodeFlags = [`--env-file=${join(repository, 'services/api/node.env')}`];

/** @param {import('./config.mjs').Config} config @returns {ProcessSpec[]} */
function services(config) {
  const { ports } = config;
  const api = config.join ?? `${reachable(config.host)}:${ports.api}`;
  const place = places(config);
  const common = {
    NAVARCH_API: api,
    NAVARCH_NATS: config.joinNats ?? `nats://${reachable(config.host)}:${ports.nats}`,
    NAVARCH_SERVICE_CIDR: config.serviceCidr,
    NAVARCH_CLUSTER_CIDR: config.clusterCidr,
  };
  const service = (
    /** @type {'api' | 'scheduler' | 'controller-manager' | 'gateway' | 'node-agent'} */ name,
    /** @type {string[]} */ after,
    /** @type {Record<string, string>} */ env,
  ) => {
    const metrics = `127.0.0.1:${ports[`${name}-metrics`]}`;
    return {
      name,
      command: nodeProgram(),
      args: [...(name === 'api' ? apiNodeFlags : []), join(repository, 'services', name, 'dist/main.js')],
      env: {
        NODE_ENV: 'production',
        NODE_COMPILE_CACHE: join(config.cache, 'node'),
        ...common,
        NAVARCH_METRICS: metrics,
        ...env,
      },
      after,
      ready: { http: `http://${metrics}/readyz` },
    };
  };
  return [
    service('api', ['etcd', 'nats'], {
      NAVARCH_ETCD: `127.0.0.1:${ports.etcd}`,
      NAVARCH_ETCD_QUOTA: String(config.etcdQuota),
      NAVARCH_LISTEN: `${config.host}:${ports.api}`,
    }),
    service('scheduler', ['api'], {}),
    service('controller-manager', ['api'], {}),
    service('gateway', ['api'], {
      NAVARCH_GATEWAY_LISTEN: `${config.host}:${ports.gateway}`,
    }),
    service('node-agent', ['api', 'containerd', 'registry'], {
      NAVARCH_CONTAINERD: containerdSocket(config.run),
      NAVARCH_STATE_DIR: place.agent,
      NAVARCH_CNI_CONF_DIR: place.cniConf,
      NAVARCH_CNI_BIN_DIR: cniBinDir,
      ...(config.nodeName ? { NAVARCH_NODE_NAME: config.nodeName } : {}),
      ...(config.nodeIp ? { NAVARCH_NODE_IP: config.nodeIp } : {}),
    }),
  ];
}

/** An address to connect to, for one to listen on. @param {string} host */
export const reachable = (host) => (host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host);
