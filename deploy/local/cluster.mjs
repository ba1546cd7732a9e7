import { spawn } from 'node:child_process';
import { mkdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeAllPods, removeRuntimeLeftovers } from './cleanup.mjs';
import { parts, places } from './config.mjs';
import { containerdSocket } from './containerd-config.mjs';
import { criAnswers } from './cri.mjs';
import { openLog, tail } from './log-files.mjs';
import { removeNetwork } from './network-cleanup.mjs';
import { endProcess, forget, recall } from './pid-files.mjs';
import { isReady } from './ready.mjs';
import { waitFor } from './wait.mjs';
import { nodeProgram } from './workspace.mjs';

/**
 * @typedef {object} RunningCluster what is written down of a started cluster
 * @property {import('./config.mjs').Config} config
 * @property {import('./processes.mjs').ProcessSpec[]} processes
 * @property {string} networkNamespace as /proc/self/ns/net names it
 */

/**
 * The cluster that was started in these places and not stopped, whether or not all of it still runs.
 * @param {Pick<import('./config.mjs').Config, 'home' | 'run'>} config
 * @returns {Promise<RunningCluster | undefined>}
 */
export async function startedCluster(config) {
  const text = await readFile(places(config).cluster, 'utf8').catch(() => undefined);
  return text ? JSON.parse(text) : undefined;
}

/** @param {Pick<import('./config.mjs').Config, 'home' | 'run'>} config */
export const supervisorOf = (config) => recall(places(config).supervisor);

/**
 * Starts the supervisor, and with it every process.
 * @param {import('./config.mjs').Config} config
 * @param {import('./processes.mjs').ProcessSpec[]} processes
 */
export async function startSupervisor(config, processes) {
  const place = places(config);
  await mkdir(config.run, { recursive: true, mode: 0o711 });
  await writeFile(place.mark, 'This folder holds the state of a Navarch cluster.\n');
  const networkNamespace = await readlink('/proc/self/ns/net');
  await writeFile(place.cluster, JSON.stringify({ config, processes, networkNamespace }), { mode: 0o600 });
  const log = await openLog(join(place.logs, 'supervisor.log'));
  const program = fileURLToPath(new URL('supervisor.mjs', import.meta.url));
  const child = spawn(nodeProgram(), [program, place.cluster], {
    cwd: '/',
    detached: true, // a session of its own: Ctrl-C on our terminal is not for it
    stdio: ['ignore', log.fd, log.fd],
  });
  child.unref();
  await log.close();
  await waitFor('the supervisor', () => supervisorOf(config), { timeoutMs: 10_000 });
}

/**
 * Waits until every process answers as ready.
 * @param {import('./config.mjs').Config} config
 * @param {import('./processes.mjs').ProcessSpec} spec
 * @param {AbortSignal} signal
 */
export async function waitReady(config, spec, signal) {
  await waitFor(spec.name, () => isReady(spec.ready), { timeoutMs: 60_000, signal }).catch(async (error) => {
    signal.throwIfAborted();
    const file = join(places(config).logs, `${spec.name}.log`);
    throw new Error(`${spec.name} did not get ready. The end of ${file}:\n${await tail(file, 8)}`, { cause: error });
  });
}

/**
 * Stops everything in these places, however much of it runs, and cleans up: containers first, by their own stop signal,
 * then the processes in reverse starting order. State stays.
 * @param {Pick<import('./config.mjs').Config, 'home' | 'run' | 'stopGraceSeconds'>} config
 * @param {(detail: string) => void} update
 * @returns {Promise<string[]>} what is left behind all the same; empty when all is well
 */
export async function stopCluster(config, update) {
  const place = places(config);
  const supervisor = await supervisorOf(config);
  if (supervisor) await endProcess(supervisor, 5000);
  const end = async (/** @type {string} */ name) => {
    update(name);
    const file = join(place.pids, `${name}.json`);
    const running = await recall(file);
    if (running) await endProcess(running, 10_000);
    await forget(file);
  };
  await Promise.all(['node-agent', 'scheduler', 'controller-manager'].map(end)); // nobody may start Pods again
  update('containers');
  await stopPods(config);
  for (const name of [...parts].reverse()) await end(name);
  update('leftovers');
  await removeRuntimeLeftovers(config);
  const left = await removeNetwork();
  await rm(config.run, { recursive: true, force: true });
  return left;
}

/** @param {Pick<import('./config.mjs').Config, 'home' | 'run' | 'stopGraceSeconds'>} config */
async function stopPods(config) {
  const socket = containerdSocket(config.run);
  const stop = () => removeAllPods(socket, { graceSeconds: config.stopGraceSeconds });
  const answers = await criAnswers(socket).catch(() => false);
  // Without containerd, or when it fails, removeRuntimeLeftovers ends the containers by force.
  if (answers) await stop().catch((error) => console.error(`containerd could not stop every Pod: ${error.message}`));
}
