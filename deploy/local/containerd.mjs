import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { removeAllPods, removeRuntimeLeftovers } from './cleanup.mjs';
import { containerdSocket, writeContainerdConfig } from './containerd-config.mjs';
import { criAnswers } from './cri.mjs';
import { waitFor } from './wait.mjs';

/**
 * How to run a containerd of our own.
 * @param {import('./containerd-config.mjs').ContainerdPlace} place
 */
export async function containerdProcess(place) {
  return { command: 'containerd', args: ['--config', await writeContainerdConfig(place)], env: {} };
}

/**
 * Starts a containerd by itself, for tests and trying things out. Its log is home/containerd.log.
 * @param {import('./containerd-config.mjs').ContainerdPlace & { netns?: string }} place `netns`: the path of a network
 *   namespace to start it in
 * @returns {Promise<{ socket: string, pid: number, stop: () => Promise<void> }>} `stop` also ends and removes every Pod,
 *   and leaves no process, mount or network namespace of theirs
 */
export async function startContainerd(place) {
  const { command, args } = await containerdProcess(place);
  const log = await open(join(place.home, 'containerd.log'), 'a', 0o600);
  const inside = place.netns ? [`--net=${place.netns}`, command, ...args] : args;
  const child = spawn(place.netns ? 'nsenter' : command, inside, { stdio: ['ignore', log.fd, log.fd] });
  const ended = new Promise((resolve) => child.once('close', resolve).once('error', resolve));
  await log.close();
  const socket = containerdSocket(place.run);
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) await removeAllPods(socket, { graceSeconds: 0 });
    child.kill('SIGTERM');
    await ended;
    await removeRuntimeLeftovers(place);
  };
  try {
    await waitFor(`containerd on ${socket}`, () => criAnswers(socket), { timeoutMs: 20_000 });
  } catch (error) {
    await stop().catch(() => {}); // the reason for not starting is the one to report
    throw error;
  }
  return { socket, pid: child.pid ?? 0, stop };
}
