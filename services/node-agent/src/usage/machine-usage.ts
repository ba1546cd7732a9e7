import { readFile } from 'node:fs/promises';

/** What the whole machine uses, containers and all else. */
export interface MachineUsage {
  /** CPU time used since the machine started. */
  readonly cpuNanoseconds: bigint;
  readonly memoryBytes: bigint;
}

export async function readMachineUsage(): Promise<MachineUsage> {
  const [stat, meminfo] = await Promise.all([readFile('/proc/stat', 'utf8'), readFile('/proc/meminfo', 'utf8')]);
  return machineUsage(stat, meminfo);
}

/** The kernel counts in hundredths of a second (USER_HZ), whatever its own tick is. Source: proc(5). */
const nanosecondsATick = 10_000_000n;

/** From the texts of /proc/stat and /proc/meminfo. */
export function machineUsage(stat: string, meminfo: string): MachineUsage {
  // cpu user nice system idle iowait irq softirq steal …; what follows is counted in user already.
  const ticks = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '').split(' ').slice(0, 8);
  const busy = ticks.filter((_, index) => index !== 3 && index !== 4).reduce((sum, text) => sum + BigInt(text), 0n);
  const kibibytes = (name: string) => BigInt(new RegExp(`^${name}: +(\\d+)`, 'm').exec(meminfo)?.[1] ?? 0);
  return {
    cpuNanoseconds: busy * nanosecondsATick,
    memoryBytes: (kibibytes('MemTotal') - kibibytes('MemAvailable')) * 1024n,
  };
}
