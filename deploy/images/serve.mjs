// Serves the catalogue's images from a registry on loopback, as a mirror of docker.io and registry.k8s.io:
//   node deploy/images/serve.mjs [--port 7440] [--home DIR] [--cache DIR]
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { waitFor } from '../local/wait.mjs';
import { buildImages } from './build.mjs';
import { pushLayout } from './push.mjs';
import { registryAnswers, registryProcess } from './registry.mjs';

/**
 * @param {{ port?: number, host?: string, home?: string, cache?: string }} [options] port 0 or none: a free one; host:
 *   where it listens, loopback unless told; home: kept if given
 * @returns {Promise<{ address: string, pid: number, stop: () => Promise<void> }>}
 */
export async function serveImages({ port = 0, host = '127.0.0.1', home, cache = '/var/cache/navarch' } = {}) {
  const layout = await buildImages(cache);
  const folder = home ?? (await mkdtemp(join(tmpdir(), 'navarch-registry-')));
  const address = `127.0.0.1:${port || (await freePort())}`;
  const { command, args, env } = await registryProcess({ home: folder, host, port: Number(address.split(':')[1]) });
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve).once('error', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    if (home === undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    await waitFor(`the registry on ${address}`, () => registryAnswers(address), { timeoutMs: 10_000 });
    await pushLayout(layout, address);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, pid: child.pid ?? 0, stop };
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

if (fileURLToPath(import.meta.url) === process.argv[1]) {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, home: { type: 'string' }, cache: { type: 'string' } },
  });
  const registry = await serveImages({
    port: Number(values.port ?? 7440),
    ...(values.home ? { home: values.home } : {}),
    ...(values.cache ? { cache: values.cache } : {}),
  });
  console.log(`images served at ${registry.address}; Ctrl-C ends it`);
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, () => void registry.stop());
}
