import { readFile, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { basename, join } from 'node:path';
import { foldersIn, removeControlGroups } from './cgroups.mjs';
import { containerdSocket } from './containerd-config.mjs';
import { listRunningContainers, listSandboxes, removeSandbox, stopContainer } from './cri.mjs';
import { run } from './exec.mjs';
import { killProcess, listProcesses } from './process-table.mjs';
import { waitFor } from './wait.mjs';

/**
 * Ends and removes every Pod through containerd: its containers get their stop signal and `graceSeconds`, then its
 * network is taken down as it was set up.
 * @param {string} socket
 * @param {{ graceSeconds: number }} options
 */
export async function removeAllPods(socket, { graceSeconds }) {
  const running = await listRunningContainers(socket);
  await Promise.all(running.map((id) => stopContainer(socket, id, graceSeconds)));
  const sandboxes = await listSandboxes(socket);
  await Promise.all(sandboxes.map((id) => removeSandbox(socket, id)));
}

/**
 * Removes by force what a containerd at `place`, which no longer runs, left: shims and what runs under them, mounts,
 * sockets. After `removeAllPods` there is nothing to do.
 * @param {{ home: string, run: string }} place
 * @returns {Promise<number>} how many processes had to be killed
 */
export async function removeRuntimeLeftovers({ home, run: runDir }) {
  const socket = containerdSocket(runDir);
  const processes = await listProcesses();
  const shims = processes.filter(({ args }) => args[0]?.includes('containerd-shim') && args.includes(socket));
  const doomed = [...shims];
  for (const shim of doomed) doomed.push(...processes.filter(({ parent }) => parent === shim.pid)); // grows as it goes
  for (const process of doomed.reverse()) killProcess(process, 'SIGKILL');
  await waitFor('processes of containers to end', () => doomed.every((process) => !process.alive()), {
    timeoutMs: 5000,
  }).catch(() => {}); // one in uninterruptible sleep must not keep the rest from being cleaned
  await unmountUnder([runDir, home]);
  const bundles = await foldersIn(join(runDir, 'containerd/io.containerd.runtime.v2.task/k8s.io'));
  await removeControlGroups(bundles.map((path) => basename(path)));
  if (shims.length > 0) await removeDeadShimSockets();
  await rm(join(runDir, 'containerd'), { recursive: true, force: true });
  await rm(socket, { force: true });
  await rm(`${socket}.ttrpc`, { force: true });
  return doomed.length;
}

/** Unmounts all that is mounted under some folders, the innermost first. @param {readonly string[]} folders */
export async function unmountUnder(folders) {
  const mounts = (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '))
    .filter((path) => folders.some((folder) => path.startsWith(`${folder}/`)));
  for (const path of mounts.reverse()) await run('umount', ['--lazy', path]);
}

/** Shims' sockets lie in a folder that all containerds of the machine share; a dead shim's refuses connections. */
async function removeDeadShimSockets() {
  const listed = await run('find', ['/run/containerd/s', '-type', 's']);
  for (const path of listed.stdout.split('\n').filter(Boolean)) {
    const dead = await new Promise((resolve) => {
      const probe = createConnection(path);
      probe.once('error', () => resolve(true)).once('connect', () => probe.destroy());
      probe.once('close', () => resolve(false)); // after an error it is settled already
    });
    if (dead) await rm(path, { force: true });
  }
}
