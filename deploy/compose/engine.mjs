import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unmountUnder } from '../local/cleanup.mjs';
import { startContainerd } from '../local/containerd.mjs';
import { run } from '../local/exec.mjs';
import { waitFor } from '../local/wait.mjs';

/**
 * Starts a Docker engine that shares nothing with one that runs here: own containerd, socket, data and state.
 * In a network namespace it has networks of its own; outside one it gets no network at all, and only builds, so that
 * the host's packet filter (whose FORWARD policy an engine sets to DROP) stays as it is.
 * @param {{ home: string, run: string, networks: boolean }} place
 * @returns {Promise<{ host: string, stop: () => Promise<void> }>}
 */
export async function startEngine({ home, run: runDir, networks }) {
  await mkdir(home, { recursive: true, mode: 0o711 });
  await mkdir(runDir, { recursive: true, mode: 0o711 });
  const containerd = await startContainerd({ home: join(home, 'containerd'), run: join(runDir, 'c'), registry: null });
  const host = `unix://${join(runDir, 'docker.sock')}`;
  const configFile = join(runDir, 'daemon.json');
  const alone = { bridge: 'none', iptables: false, 'ip-forward': false, 'ip-masq': false };
  const pools = { bip: '10.201.0.1/24', 'default-address-pools': [{ base: '10.202.0.0/16', size: 24 }] };
  await writeFile(
    configFile,
    JSON.stringify({
      hosts: [host],
      'data-root': join(home, 'data'),
      'exec-root': join(runDir, 'exec'),
      pidfile: join(runDir, 'dockerd.pid'),
      containerd: containerd.socket,
      'deprecated-key-path': join(home, 'key.json'),
      'storage-driver': 'overlay2',
      ...(networks ? pools : alone),
    }),
  );
  const log = await open(join(home, 'dockerd.log'), 'a', 0o600);
  const child = spawn('dockerd', ['--config-file', configFile], { stdio: ['ignore', log.fd, log.fd] });
  await log.close();
  const ended = new Promise((resolve) => child.once('close', resolve).once('error', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await containerd.stop();
    await unmountUnder([runDir, home]);
    await rm(runDir, { recursive: true, force: true });
  };
  try {
    await waitFor(
      `the Docker engine (see ${join(home, 'dockerd.log')})`,
      async () => (await run(dockerProgram(), ['-H', host, 'version'])).code === 0,
      { timeoutMs: 60_000, everyMs: 200 },
    );
  } catch (error) {
    await stop().catch(() => {}); // the reason for not starting is the one to report
    throw error;
  }
  return { host, stop };
}

/** A docker command that can use BuildKit: Debian's has it built in, newer ones need the buildx plugin. */
export const dockerProgram = () => (existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker');
