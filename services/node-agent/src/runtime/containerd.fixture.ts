import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { CriRuntime } from './cri-runtime.ts';

const run = promisify(execFile);

export interface TestContainerd {
  readonly socket: string;
  readonly dir: string;
  stop(): Promise<void>;
}

let started = 0;

/**
 * A containerd of its own in a network namespace of its own, with a bridge network and the images of deploy/images.
 * Stopping it leaves nothing behind. Needs root.
 */
export async function startContainerd(): Promise<TestContainerd> {
  const dir = await mkdtemp(join(tmpdir(), 'nv-containerd-'));
  const netns = basename(dir);
  const socket = join(dir, 'containerd.sock');
  await run('ip', ['netns', 'add', netns]);
  await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
  // Its streaming server is reached over a pair of its own: the agent is usually in one network with it, the test is not.
  const [near, far] = [`10.98.${++started}.1`, `10.98.${started}.2`];
  await run('ip', ['link', 'add', `nvs${started}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns]);
  await run('ip', ['address', 'add', `${near}/30`, 'dev', `nvs${started}`]);
  await run('ip', ['link', 'set', `nvs${started}`, 'up']);
  await run('ip', ['-n', netns, 'address', 'add', `${far}/30`, 'dev', 'eth0']);
  await run('ip', ['-n', netns, 'link', 'set', 'eth0', 'up']);
  await mkdir(join(dir, 'cni'));
  await writeFile(join(dir, 'cni/10-test.conflist'), JSON.stringify(network(dir)));
  await writeFile(join(dir, 'config.toml'), config(dir, socket, far));
  const child = spawn('nsenter', [`--net=/run/netns/${netns}`, 'containerd', '-c', join(dir, 'config.toml')], {
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async () => {
    await removeSandboxes(socket, dir);
    await killShims(dir);
    child.kill('SIGTERM');
    await ended;
    await unmountUnder(dir);
    await run('ip', ['netns', 'delete', netns]);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await importWhenUp(socket, await imageArchive(dir));
    return { socket, dir, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function network(dir: string) {
  return {
    cniVersion: '0.4.0',
    name: 'test',
    plugins: [
      {
        type: 'bridge',
        bridge: 'nvtest0',
        isGateway: true,
        ipam: { type: 'host-local', ranges: [[{ subnet: '10.99.0.0/24' }]], dataDir: join(dir, 'ipam') },
      },
    ],
  };
}

function config(dir: string, socket: string, streamAddress: string): string {
  return `version = 2
root = "${join(dir, 'root')}"
state = "${join(dir, 'state')}"
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.8"
  restrict_oom_score_adj = true
  stream_server_address = "${streamAddress}"
  stream_server_port = "0"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${join(dir, 'cni')}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${join(dir, 'opt')}"
`;
}

/** Of the images that `npm test` has built. */
async function imageArchive(dir: string): Promise<string> {
  const layout = process.env['NAVARCH_TEST_IMAGES'];
  if (layout === undefined) throw new Error('This test needs the images that `npm test` builds: run it with npm test.');
  const archive = join(dir, 'images.tar');
  await run('tar', ['-C', layout, '-cf', archive, '.']);
  return archive;
}

async function importWhenUp(socket: string, archive: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      await run('ctr', ['-a', socket, '-n', 'k8s.io', 'images', 'import', archive]);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** The orderly way, so that the network namespaces of the sandboxes go too. */
async function removeSandboxes(socket: string, dir: string): Promise<void> {
  const runtime = new CriRuntime({ socket, stateDir: join(dir, 'agent') });
  try {
    const sandboxes = await runtime.listSandboxes({}, AbortSignal.timeout(5000));
    await Promise.all(
      sandboxes.map(async ({ id }) => {
        await runtime.stopSandbox(id);
        await runtime.removeSandbox(id);
      }),
    );
  } catch {
    // containerd never came up, or is gone already: what is left is killed below.
  } finally {
    runtime.close();
  }
}

/** Shims outlive containerd on purpose; these are found by the socket they were given. */
async function killShims(dir: string): Promise<void> {
  const { stdout } = await run('ps', ['-eo', 'pid=,args=']);
  for (const line of stdout.split('\n')) {
    const [pid, ...args] = line.trim().split(/\s+/);
    if (!args.includes(join(dir, 'containerd.sock')) || !args[0]?.includes('containerd-shim')) continue;
    const children = await run('ps', ['-o', 'pid=', '--ppid', pid ?? '']).catch(() => ({ stdout: '' }));
    for (const child of children.stdout.split('\n').filter((entry) => entry.trim() !== '')) kill(Number(child));
    kill(Number(pid));
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Ended meanwhile.
  }
}

async function unmountUnder(dir: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  const netnsMounts = mounts.filter((mount) => mount.startsWith(`${dir}/`));
  for (const mount of netnsMounts.reverse()) await run('umount', ['-l', mount]).catch(() => undefined);
}
