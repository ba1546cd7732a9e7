import { readFile, statfs } from 'node:fs/promises';
import { arch, cpus, release, totalmem } from 'node:os';

/** What the machine is and has. */
export interface Machine {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly machineId: string;
  readonly bootId: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  /** As images name it: amd64, arm64. */
  readonly architecture: string;
}

/** `dir` is where containers and volumes are kept: its file system is the node's disk. */
export async function readMachine(dir: string): Promise<Machine> {
  const [fs, machineId, bootId, osRelease] = await Promise.all([
    statfs(dir),
    readText('/etc/machine-id'),
    readText('/proc/sys/kernel/random/boot_id'),
    readText('/etc/os-release'),
  ]);
  return {
    cpuMillis: cpus().length * 1000,
    memoryBytes: totalmem(),
    diskBytes: fs.blocks * fs.bsize,
    machineId,
    bootId,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? 'Linux',
    architecture: architectures[arch()] ?? arch(),
  };
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: '386', ppc64: 'ppc64le' };

async function readText(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).trim();
}
