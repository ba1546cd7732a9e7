import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { Failure } from './failure.mjs';

/**
 * What can be said by flag or environment. A flag wins over the environment.
 * @typedef {object} Option
 * @property {string} flag
 * @property {string} [env]
 * @property {string} [value] what stands after the flag in the help text; none: the flag stands alone
 * @property {string} [fallback]
 * @property {string} help
 */

/** @type {readonly Option[]} */
export const options = [
  { flag: 'detach', help: 'return once everything is ready, and leave it running' },
  { flag: 'no-example', env: 'NAVARCH_NO_EXAMPLE', help: "don't apply examples/nginx" },
  { flag: 'no-build', env: 'NAVARCH_NO_BUILD', help: 'run what was built before' },
  { flag: 'without', env: 'NAVARCH_WITHOUT', value: 'a,b', help: 'parts to leave out, such as nats or node-agent' },
  { flag: 'home', env: 'NAVARCH_HOME', value: 'DIR', fallback: '/var/lib/navarch', help: 'durable state' },
  { flag: 'run', env: 'NAVARCH_RUN', value: 'DIR', fallback: '/run/navarch', help: 'sockets, pids, shims' },
  { flag: 'cache', env: 'NAVARCH_CACHE', value: 'DIR', fallback: '/var/cache/navarch', help: 'built images' },
  { flag: 'host', env: 'NAVARCH_HOST', value: 'IP', fallback: '127.0.0.1', help: 'where api, gateway and NATS listen' },
  { flag: 'api-port', env: 'NAVARCH_API_PORT', value: 'N', fallback: '7400', help: 'gRPC' },
  { flag: 'api-metrics-port', env: 'NAVARCH_API_METRICS_PORT', value: 'N', fallback: '7410', help: 'HTTP' },
  { flag: 'scheduler-metrics-port', env: 'NAVARCH_SCHEDULER_METRICS_PORT', value: 'N', fallback: '7411', help: 'HTTP' },
  {
    flag: 'controller-manager-metrics-port',
    env: 'NAVARCH_CONTROLLER_MANAGER_METRICS_PORT',
    value: 'N',
    fallback: '7412',
    help: 'HTTP',
  },
  {
    flag: 'node-agent-metrics-port',
    env: 'NAVARCH_NODE_AGENT_METRICS_PORT',
    value: 'N',
    fallback: '7413',
    help: 'HTTP',
  },
  { flag: 'gateway-port', env: 'NAVARCH_GATEWAY_PORT', value: 'N', fallback: '7443', help: 'HTTPS, for kubectl' },
  { flag: 'gateway-metrics-port', env: 'NAVARCH_GATEWAY_METRICS_PORT', value: 'N', fallback: '7414', help: 'HTTP' },
  { flag: 'etcd-port', env: 'NAVARCH_ETCD_PORT', value: 'N', fallback: '7420', help: "etcd's clients" },
  { flag: 'etcd-peer-port', env: 'NAVARCH_ETCD_PEER_PORT', value: 'N', fallback: '7421', help: "etcd's peers" },
  {
    flag: 'etcd-quota',
    env: 'NAVARCH_ETCD_QUOTA',
    value: 'BYTES',
    fallback: String(2 * 1024 ** 3),
    help: 'what etcd may take on disk',
  },
  { flag: 'nats-port', env: 'NAVARCH_NATS_PORT', value: 'N', fallback: '7430', help: 'NATS' },
  {
    flag: 'registry-port',
    env: 'NAVARCH_REGISTRY_PORT',
    value: 'N',
    fallback: '7440',
    help: 'the local image registry',
  },
  {
    flag: 'registry',
    env: 'NAVARCH_REGISTRY',
    value: 'MODE',
    fallback: 'auto',
    help: 'images from: auto, local or internet',
  },
  { flag: 'mirror', env: 'NAVARCH_MIRROR', value: 'HOST:PORT', help: 'a registry to ask before those on the internet' },
  {
    flag: 'service-cidr',
    env: 'NAVARCH_SERVICE_CIDR',
    value: 'CIDR',
    fallback: '10.96.0.0/16',
    help: 'addresses of Services',
  },
  {
    flag: 'cluster-cidr',
    env: 'NAVARCH_CLUSTER_CIDR',
    value: 'CIDR',
    fallback: '10.244.0.0/16',
    help: 'addresses of Pods',
  },
  { flag: 'node-name', env: 'NAVARCH_NODE_NAME', value: 'NAME', help: "the node's name (default: the host's)" },
  {
    flag: 'node-ip',
    env: 'NAVARCH_NODE_IP',
    value: 'IP',
    help: "the node's address (default: that of the default route)",
  },
  { flag: 'join', env: 'NAVARCH_JOIN', value: 'HOST:PORT', help: 'run only a node, for the api at this address' },
  { flag: 'join-nats', env: 'NAVARCH_JOIN_NATS', value: 'URL', help: 'its NATS (default: port 7430 of the same host)' },
  {
    flag: 'stop-grace',
    env: 'NAVARCH_STOP_GRACE',
    value: 'SECONDS',
    fallback: '10',
    help: 'for containers to end by themselves',
  },
  { flag: 'help', help: 'this text' },
];

/** Every part, in starting order. */
export const parts = /** @type {const} */ ([
  'etcd',
  'nats',
  'registry',
  'containerd',
  'api',
  'scheduler',
  'controller-manager',
  'gateway',
  'node-agent',
]);
const controlPlane = ['etcd', 'nats', 'api', 'scheduler', 'controller-manager', 'gateway'];

/** @typedef {ReturnType<typeof readConfig>} Config */

/**
 * @param {readonly string[]} argv
 * @param {NodeJS.ProcessEnv} env
 */
export function readConfig(argv, env) {
  const flags = readFlags(argv);
  const text = (/** @type {string} */ name) => {
    const option = options.find(({ flag }) => flag === name);
    return flags.get(name) ?? ((option?.env && env[option.env]) || option?.fallback);
  };
  const required = (/** @type {string} */ name) => text(name) ?? '';
  const port = (/** @type {string} */ name) => readNumber(name, required(name), 1, 65_535);

  const registry = required('registry');
  if (!['auto', 'local', 'internet'].includes(registry)) {
    throw new Failure(`--registry ${registry} is none of its values.`, 'Say auto, local or internet.');
  }
  const host = required('host');
  if (!isIP(host))
    throw new Failure(`--host ${host} is no IP address.`, 'Give an address of this machine, or 0.0.0.0.');
  const join_ = text('join');
  return {
    home: resolve(required('home')),
    run: resolve(required('run')),
    cache: resolve(required('cache')),
    host,
    ports: {
      api: port('api-port'),
      etcd: port('etcd-port'),
      'etcd-peer': port('etcd-peer-port'),
      nats: port('nats-port'),
      registry: port('registry-port'),
      'api-metrics': port('api-metrics-port'),
      'scheduler-metrics': port('scheduler-metrics-port'),
      'controller-manager-metrics': port('controller-manager-metrics-port'),
      'node-agent-metrics': port('node-agent-metrics-port'),
      gateway: port('gateway-port'),
      'gateway-metrics': port('gateway-metrics-port'),
    },
    etcdQuota: readNumber('etcd-quota', required('etcd-quota'), 1024 ** 2, 8 * 1024 ** 3),
    registry,
    mirror: text('mirror'),
    without: [...readWithout(text('without')), ...(join_ ? controlPlane : [])],
    join: join_,
    joinNats: join_ && (text('join-nats') ?? `nats://${join_.slice(0, join_.lastIndexOf(':'))}:7430`),
    serviceCidr: required('service-cidr'),
    clusterCidr: required('cluster-cidr'),
    nodeName: text('node-name'),
    nodeIp: text('node-ip'),
    stopGraceSeconds: readNumber('stop-grace', required('stop-grace'), 0, 120),
    detach: flags.has('detach'),
    example: text('no-example') === undefined && join_ === undefined,
    build: text('no-build') === undefined,
    help: flags.has('help'),
  };
}

/** The text that `--help` prints. @param {string} command */
export function helpText(command) {
  const rows = options.map(({ flag, value, env, fallback, help }) => {
    const more = [fallback && `default ${fallback}`, env].filter(Boolean).join(', ');
    return `  ${`--${flag}${value ? ` ${value}` : ''}`.padEnd(38)} ${help}${more ? ` (${more})` : ''}`;
  });
  return `Usage: ${command} [-- FLAGS]\n\n${rows.join('\n')}\n`;
}

/** @param {readonly string[]} argv */
function readFlags(argv) {
  /** @type {Map<string, string>} */
  const flags = new Map();
  for (let at = 0; at < argv.length; at++) {
    const [word = '', inline] = (argv[at] ?? '').split(/=(.*)/s);
    const option = options.find(({ flag }) => `--${flag}` === word);
    if (!option) throw new Failure(`There is no flag ${argv[at]}.`, 'npm start -- --help lists them all.');
    const value = option.value ? (inline ?? argv[++at]) : 'yes';
    if (value === undefined || value === '') {
      throw new Failure(`--${option.flag} needs a value.`, `Write --${option.flag} ${option.value}.`);
    }
    const before = flags.get(option.flag);
    flags.set(option.flag, option.flag === 'without' && before ? `${before},${value}` : value);
  }
  return flags;
}

/** @param {string} name @param {string} text @param {number} least @param {number} most */
function readNumber(name, text, least, most) {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Failure(`--${name} ${text} is no number from ${least} to ${most}.`, 'Correct the flag or its variable.');
}

/** @param {string | undefined} text */
function readWithout(text) {
  const names = text?.split(',').filter(Boolean) ?? [];
  const unknown = names.find((name) => !(/** @type {readonly string[]} */ (parts).includes(name)));
  if (unknown) throw new Failure(`--without ${unknown} names no part.`, `The parts are ${parts.join(', ')}.`);
  return names;
}

/**
 * Where things are kept.
 * @param {Pick<Config, 'home' | 'run'>} config
 */
export const places = ({ home, run }) => ({
  mark: join(home, '.navarch'),
  exampleApplied: join(home, '.example-applied'),
  registryCheck: join(home, 'registry-check.json'),
  logs: join(home, 'logs'),
  etcd: join(home, 'etcd'),
  nats: join(home, 'nats'),
  registry: join(home, 'registry'),
  agent: join(home, 'agent'),
  cniConf: join(home, 'cni/net.d'),
  cluster: join(run, 'cluster.json'),
  supervisor: join(run, 'supervisor.json'),
  pids: join(run, 'pids'),
});
