import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { byteCount, type Live } from '@navarch/machinery';
import type { Container, Pod, Volume } from '@navarch/proto';
import type { ClaimSource } from '../claims/claim-source.ts';
import type { Mount } from '../runtime/runtime.ts';
import { writeAtomically } from './atomic-files.ts';
import type { ConfigSource } from './config-source.ts';
import type { Allocatable } from './downward.ts';
import { StepError } from './step-error.ts';
import { holdsSecrets, inside, isOfFiles, volumeFiles } from './volume-files.ts';

const run = promisify(execFile);

/** The directories of Pods' volumes: `<root>/<uid>/volumes/<name>`. Everything can be done again without harm. */
export class Volumes {
  readonly #root: string;
  readonly #config: ConfigSource;
  readonly #claims: ClaimSource;
  readonly #allocatable: Allocatable;

  constructor(options: { root: string; config: ConfigSource; claims: ClaimSource; allocatable: Allocatable }) {
    this.#root = options.root;
    this.#config = options.config;
    this.#claims = options.claims;
    this.#allocatable = options.allocatable;
  }

  /** Puts all volumes of the Pod in place, and brings those whose files can change up to date. */
  async prepare(pod: Live<Pod>): Promise<void> {
    for (const volume of pod.spec.volumes) await this.#prepare(pod, volume);
  }

  /** Where a container sees its volumes. */
  async mounts(pod: Live<Pod>, container: Container): Promise<Mount[]> {
    const mounts: Mount[] = [];
    for (const mount of container.volumeMounts) {
      const volume = pod.spec.volumes.find(({ name }) => name === mount.name);
      if (!volume) throw fault(`volumeMount "${mount.name}" names no volume of the Pod`);
      const root = await this.#rootOf(pod, volume);
      const hostPath = mount.subPath === '' ? root : await subPath(root, mount.subPath, volume);
      const readonly = mount.readOnly || isOfFiles(volume) || volume.persistentVolumeClaim?.readOnly === true;
      mounts.push({ containerPath: mount.mountPath, hostPath, readonly, propagation: 'None' });
    }
    return mounts;
  }

  /** Removes what `prepare` made. What a hostPath names stays. */
  async remove(uid: string): Promise<void> {
    const dir = join(this.#root, uid);
    for (const mount of (await mountsUnder(dir)).reverse()) await run('umount', [mount]);
    // Never delete through a mount.
    const left = await mountsUnder(dir);
    if (left.length > 0) throw new Error(`${left[0]} is still mounted`);
    await rm(dir, { recursive: true, force: true });
  }

  /** Of a claim, the Pod's own folder has only a link to it. */
  async #rootOf(pod: Live<Pod>, volume: Volume): Promise<string> {
    if (volume.hostPath) return volume.hostPath.path;
    const dir = this.#dir(pod, volume);
    return volume.persistentVolumeClaim ? realpath(dir) : dir;
  }

  #dir(pod: Live<Pod>, volume: Volume): string {
    return join(this.#root, pod.metadata.uid, 'volumes', volume.name);
  }

  async #prepare(pod: Live<Pod>, volume: Volume): Promise<void> {
    const dir = this.#dir(pod, volume);
    const group = pod.spec.securityContext?.fsGroup;
    const { namespace } = pod.metadata;
    if (volume.hostPath) {
      await hostPath(volume.hostPath.path, volume.hostPath.type);
      return;
    }
    if (volume.persistentVolumeClaim) {
      const { claimName } = volume.persistentVolumeClaim;
      // Once it was there for this Pod, nobody need be asked again.
      if (await exists(dir)) return;
      const data = await this.#claims.directory(namespace, claimName);
      if (group !== undefined) {
        await chown(data, -1, group);
        await chmod(data, 0o2777);
      }
      await mkdir(dirname(dir), { recursive: true });
      await rm(dir, { force: true });
      await symlink(data, dir);
      return;
    }
    await mkdir(dir, { recursive: true });
    if (volume.emptyDir) {
      const { medium, sizeLimit } = volume.emptyDir;
      if (medium === 'Memory') await tmpfs(dir, byteCount(sizeLimit || undefined));
      await chmod(dir, 0o777);
      if (group !== undefined) {
        await chown(dir, 0, group);
        await chmod(dir, 0o2777);
      }
    } else {
      const files = await volumeFiles(pod, volume, { config: this.#config, allocatable: this.#allocatable });
      // Secrets don't touch the disk.
      if (holdsSecrets(volume)) await tmpfs(dir, 0);
      await writeAtomically(dir, files, group);
    }
  }
}

async function subPath(root: string, path: string, volume: Volume): Promise<string> {
  const full = join(root, inside(path));
  const { emptyDir, hostPath, persistentVolumeClaim: claim } = volume;
  const writable = emptyDir !== undefined || hostPath !== undefined || (claim !== undefined && !claim.readOnly);
  if (writable && !(await exists(full))) await mkdir(full, { recursive: true });
  if (!(await exists(full))) throw fault(`subPath "${path}" is not in volume "${volume.name}"`);
  // A container may have put a link there that leads elsewhere on the node.
  const real = await realpath(full);
  const realRoot = await realpath(root);
  if (real !== realRoot && !real.startsWith(`${realRoot}/`)) throw fault(`subPath "${path}" leads out of its volume`);
  return real;
}

async function hostPath(path: string, type: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  const fits = {
    '': () => true,
    DirectoryOrCreate: () => found === undefined || found.isDirectory(),
    Directory: () => found?.isDirectory(),
    FileOrCreate: () => found === undefined || found.isFile(),
    File: () => found?.isFile(),
    Socket: () => found?.isSocket(),
  }[type];
  if (!fits?.()) throw fault(`hostPath "${path}" is not what type "${type}" asks for`);
  if (found !== undefined) return;
  if (type === 'FileOrCreate') {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '', { flag: 'a' });
  } else {
    await mkdir(path, { recursive: true });
  }
}

async function tmpfs(dir: string, sizeBytes: number): Promise<void> {
  if ((await mountsUnder(dir)).includes(dir)) return;
  const options = ['mode=0755', 'nosuid', 'nodev', ...(sizeBytes > 0 ? [`size=${sizeBytes}`] : [])];
  await run('mount', ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', dir]);
}

/** In the order of mounting. */
async function mountsUnder(dir: string): Promise<string[]> {
  const lines = (await readFile('/proc/self/mounts', 'utf8')).split('\n');
  const unescape = (path: string) =>
    path.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8)));
  const points = lines.map((line) => unescape(line.split(' ')[1] ?? ''));
  return points.filter((point) => point === dir || point.startsWith(`${dir}/`));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function fault(message: string): StepError {
  return new StepError('CreateContainerConfigError', message);
}
