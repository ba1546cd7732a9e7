import { hostname } from 'node:os';
import { address, cidr, defineConfig, durationMs, list, logLevels, oneOf, text, url } from '@navarch/kit';

export const config = defineConfig(
  { name: 'navarch-node-agent', description: 'Runs the Pods of one node.' },
  {
    api: {
      flag: '--api <address>',
      env: 'NAVARCH_API',
      default: '127.0.0.1:7400',
      description: 'where the api listens',
      parse: address,
    },
    nats: {
      flag: '--nats <urls>',
      env: 'NAVARCH_NATS',
      default: 'nats://127.0.0.1:7430',
      description: 'the NATS servers',
      parse: list(url('nats', 'tls')),
    },
    metrics: {
      flag: '--metrics <address>',
      env: 'NAVARCH_METRICS',
      default: '127.0.0.1:7413',
      description: 'where to serve /metrics, /healthz and /readyz',
      parse: address,
    },
    nodeName: {
      flag: '--node-name <name>',
      env: 'NAVARCH_NODE_NAME',
      default: hostname().toLowerCase(),
      description: "the node's name in the cluster",
      parse: text,
    },
    nodeIp: {
      flag: '--node-ip <ip>',
      env: 'NAVARCH_NODE_IP',
      description: 'the address by which other nodes reach this one (default: that of the default route)',
      parse: text,
    },
    containerd: {
      flag: '--containerd <socket>',
      env: 'NAVARCH_CONTAINERD',
      default: '/run/navarch/containerd.sock',
      description: "containerd's socket",
      parse: text,
    },
    stateDir: {
      flag: '--state-dir <dir>',
      env: 'NAVARCH_STATE_DIR',
      default: '/var/lib/navarch/agent',
      description: 'where volumes and logs are kept',
      parse: text,
    },
    cniConfDir: {
      flag: '--cni-conf-dir <dir>',
      env: 'NAVARCH_CNI_CONF_DIR',
      default: '/var/lib/navarch/cni/net.d',
      description: "where containerd looks for the Pod network's configuration",
      parse: text,
    },
    clusterDns: {
      flag: '--cluster-dns <ip>',
      env: 'NAVARCH_CLUSTER_DNS',
      default: '10.96.0.10',
      description: 'the address at which Pods ask for names',
      parse: text,
    },
    serviceCidr: {
      flag: '--service-cidr <cidr>',
      env: 'NAVARCH_SERVICE_CIDR',
      default: '10.96.0.0/16',
      description: 'the addresses of Services',
      parse: cidr,
    },
    clusterCidr: {
      flag: '--cluster-cidr <cidr>',
      env: 'NAVARCH_CLUSTER_CIDR',
      default: '10.244.0.0/16',
      description: 'the addresses of Pods',
      parse: cidr,
    },
    heartbeatMs: {
      flag: '--heartbeat-ms <duration>',
      env: 'NAVARCH_HEARTBEAT_MS',
      default: '10000',
      description: 'how often the node says that it is there',
      parse: durationMs,
    },
    logLevel: {
      flag: '--log-level <level>',
      env: 'NAVARCH_LOG_LEVEL',
      default: 'info',
      description: 'how much to log',
      parse: oneOf(...logLevels),
    },
  },
);
