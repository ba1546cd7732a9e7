import { readFile, readdir, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { Failure } from './failure.mjs';

const otherWay = 'docker compose up is the other way in.';

/** Whether this machine can run a cluster at all. */
export async function checkMachine() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new Failure(
      `This is Node ${process.versions.node}; at least 20 is needed.`,
      'Install a newer Node and start again.',
    );
  }
  if (process.platform !== 'linux')
    throw new Failure(`This is ${process.platform}, not Debian.`, `On other systems, ${otherWay}`);
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const ids = [...system.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm)].flatMap(([, text]) => text?.split(' ') ?? []);
  if (!ids.includes('debian')) {
    const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(system)?.[1] ?? 'an unknown system';
    throw new Failure(`This is ${name}; npm start sets up Debian and its relatives only.`, `Here, ${otherWay}`);
  }
  checkRoot('npm start');
}

/** @param {string} command */
export function checkRoot(command) {
  if (process.getuid?.() === 0) return;
  throw new Failure('Containers and their network need root, and you are not.', `Run: sudo ${command}`);
}

/**
 * @param {import('./config.mjs').Config} config
 */
export async function checkPorts(config) {
  const need = /** @type {const} */ ([
    ['etcd', 'etcd'],
    ['etcd-peer', 'etcd'],
    ['nats', 'nats'],
    ['registry', 'registry'],
    ['api', 'api'],
    ['api-metrics', 'api'],
    ['scheduler-metrics', 'scheduler'],
    ['controller-manager-metrics', 'controller-manager'],
    ['node-agent-metrics', 'node-agent'],
    ['gateway', 'gateway'],
    ['gateway-metrics', 'gateway'],
  ]);
  for (const [name, part] of need) {
    if (config.without.includes(part)) continue;
    const port = config.ports[name];
    const twin = need.find(([other]) => other !== name && config.ports[other] === port);
    if (twin) throw new Failure(`Port ${port} is given to both ${name} and ${twin[0]}.`, `Change --${name}-port.`);
    const host = ['api', 'nats', 'gateway'].includes(name) ? config.host : '127.0.0.1';
    const problem = await tryListen(host, port);
    if (!problem) continue;
    if (problem !== 'EADDRINUSE') {
      throw new Failure(
        `Can't listen on ${host}:${port} (${problem}).`,
        'Give an address of this machine with --host.',
      );
    }
    const env = `NAVARCH_${name.toUpperCase().replaceAll('-', '_')}_PORT`;
    throw new Failure(
      `Port ${port}, which ${part} needs, is taken by ${(await portOwner(port)) ?? 'another process'}.`,
      `End that, or choose another port with --${name}-port or ${env}.`,
    );
  }
}

/** The example's load balancer takes port 80 of the node: a web server that listens there would lose its visitors. */
export async function checkExamplePort() {
  const owner = await portOwner(80);
  if (!owner) return;
  throw new Failure(
    `Port 80, where the example's load balancer answers, is taken by ${owner}.`,
    'End that, or start without the example: npm start -- --no-example',
  );
}

/** @param {string} host @param {number} port @returns {Promise<string | undefined>} why it can't */
function tryListen(host, port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(/** @type {NodeJS.ErrnoException} */ (error).code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Who listens on a port, by proc(5). @param {number} port @returns {Promise<string | undefined>} */
export async function portOwner(port) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  const rows = tables.flatMap((table) => table.split('\n').map((line) => line.trim().split(/\s+/)));
  const inodes = rows
    .filter((row) => row[1]?.endsWith(`:${hex}`) && row[3] === '0A')
    .map((row) => `socket:[${row[9]}]`);
  if (inodes.length === 0) return undefined;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      if (inodes.includes(target)) return `${(await readFile(`/proc/${pid}/comm`, 'utf8')).trim()} (process ${pid})`;
    }
  }
  return 'another process';
}
