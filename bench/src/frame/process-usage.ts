import { readFileSync } from 'node:fs';

/** The kernel counts processor time in hundredths of a second, on every Linux of today. */
const ticksPerSecond = 100;

/** Processor time that a process has taken so far, all of its threads together. Source: proc(5). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name before it may hold spaces: fields count from after its parenthesis, where the third one is.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Resident memory of a process. */
export function residentMiB(pid: number): number {
  return statusMiB(pid, /^VmRSS:\s+(\d+) kB$/m);
}

/** The most that was ever resident of a process. */
export function peakMiB(pid: number): number {
  return statusMiB(pid, /^VmHWM:\s+(\d+) kB$/m);
}

function statusMiB(pid: number, line: RegExp): number {
  return Number(line.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
