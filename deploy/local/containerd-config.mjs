import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * @typedef {object} ContainerdPlace
 * @property {string} home durable state: images, snapshots, containers' records
 * @property {string} run what ends with the machine: socket, shims' bundles, network namespaces
 * @property {string | null} registry host:port of the registry that stands in for the internet's, or null
 * @property {string} [cniConfDir] default home/cni/net.d
 * @property {string} [cniBinDir] default /usr/lib/cni, Debian's
 */

export const sandboxImage = 'registry.k8s.io/pause:3.8';
const mirrored = { 'docker.io': 'https://registry-1.docker.io', 'registry.k8s.io': 'https://registry.k8s.io' };

/** @param {string} run */
export const containerdSocket = (run) => join(run, 'containerd.sock');

/**
 * Writes the configuration of a containerd that shares nothing with one the system may run.
 * https://github.com/containerd/containerd/blob/v1.6.20/docs/cri/config.md
 * @param {ContainerdPlace} place
 * @returns {Promise<string>} the file
 */
export async function writeContainerdConfig(place) {
  const { home, run, registry } = place;
  const confDir = place.cniConfDir ?? join(home, 'cni/net.d');
  const certs = join(home, 'containerd-registries');
  const file = join(home, 'containerd.toml');
  await mkdir(home, { recursive: true, mode: 0o711 });
  await mkdir(run, { recursive: true, mode: 0o711 });
  await mkdir(confDir, { recursive: true });
  await writeMirrors(certs, registry);
  await writeFile(
    file,
    `version = 2
root = ${toml(join(home, 'containerd'))}
state = ${toml(join(run, 'containerd'))}
# Snapshotters and engines of the system's that are no use here, and may not work.
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]

[grpc]
  address = ${toml(containerdSocket(run))}

[plugins."io.containerd.internal.v1.opt"]
  path = ${toml(join(home, 'containerd/opt'))}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${toml(sandboxImage)}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  # /run/netns belongs to the system.
  netns_mounts_under_state_dir = true
  # Without CAP_SYS_RESOURCE runc may not lower oom_score_adj, and every sandbox fails.
  restrict_oom_score_adj = ${!(await hasCapability(24))}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${toml(place.cniBinDir ?? '/usr/lib/cni')}
    conf_dir = ${toml(confDir)}
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${toml(certs)}
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
`,
  );
  return file;
}

/**
 * One hosts.toml a registry on the internet, with ours before it; none at all without ours.
 * https://github.com/containerd/containerd/blob/v1.6.20/docs/hosts.md
 * @param {string} folder @param {string | null} registry
 */
async function writeMirrors(folder, registry) {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  if (registry === null) return;
  for (const [host, server] of Object.entries(mirrored)) {
    await mkdir(join(folder, host));
    const mirror = `[host.${toml(`http://${registry}`)}]\n  capabilities = ["pull", "resolve"]\n`;
    await writeFile(join(folder, host, 'hosts.toml'), `server = ${toml(server)}\n\n${mirror}`);
  }
}

/** A TOML basic string. @param {string} text */
const toml = (text) => JSON.stringify(text);

/**
 * Whether this process could give its children a capability (its bounding set holds it).
 * @param {number} number as in capabilities(7)
 */
async function hasCapability(number) {
  const status = await readFile('/proc/self/status', 'utf8');
  const bits = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return ((bits >> BigInt(number)) & 1n) === 1n;
}
