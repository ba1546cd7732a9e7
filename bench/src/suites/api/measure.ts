import { startEtcd, type EtcdServer } from '@navarch/testing';
import { Child, runChild } from '../../frame/child.ts';
import { cpuSeconds } from '../../frame/process-usage.ts';
import type { UnaryLoad, UnaryResult } from './loads/unary-load.ts';

/** What one part of the suite has at hand. */
export interface PartOptions {
  readonly say: (line: string) => void;
  readonly profileDir: string | undefined;
}

const unaryLoad = new URL('loads/unary-load.js', import.meta.url);

/** etcd as in production: it is on disk when it says so. */
export async function diskEtcd(): Promise<EtcdServer> {
  return await startEtcd({ fsync: true, flags: ['--quota-backend-bytes=8589934592'] });
}

export async function load(options: UnaryLoad): Promise<UnaryResult> {
  return await runChild<UnaryResult>(unaryLoad, options);
}

/** What a load came to, and what it cost each process. */
export interface Measured extends UnaryResult {
  readonly perSecond: number;
  /** Microseconds of processor time for each object. */
  readonly cpuMicros: Readonly<Record<string, number>>;
}

/** Runs a timed load and looks at what it costs the processes in `pids`. `counted` is called when it begins to count. */
export async function measure(
  options: UnaryLoad,
  pids: Readonly<Record<string, number | undefined>>,
  counted: () => void | Promise<void> = () => {},
): Promise<Measured> {
  const child = new Child<UnaryResult>(unaryLoad, options);
  const spent = () =>
    Object.entries(pids).map(([name, pid]) => [name, pid === undefined ? 0 : cpuSeconds(pid)] as const);
  try {
    await child.ready();
    const before = new Map(spent());
    await counted();
    const result = await child.result();
    const micros = (seconds: number) => (seconds * 1e6) / result.objects;
    const cpuMicros = Object.fromEntries(
      spent().map(([name, seconds]) => [name, micros(seconds - (before.get(name) ?? 0))]),
    );
    return {
      ...result,
      perSecond: result.objects / result.seconds,
      cpuMicros: { ...cpuMicros, load: micros(result.cpuSeconds) },
    };
  } finally {
    await child.kill();
  }
}

/** `what: 12 µs api, 30 µs etcd, 5 µs load`. */
export function describeCosts(what: string, { cpuMicros, perSecond }: Measured): string {
  const costs = Object.entries(cpuMicros).map(([name, micros]) => `${micros.toFixed(1)} µs ${name}`);
  return `  ${what}: ${Math.round(perSecond)}/s; processor time for each: ${costs.join(', ')}`;
}
