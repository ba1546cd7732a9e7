import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';

/**
 * A process that was seen. Its start time stays with it, so that a pid that the kernel gave to another process later is
 * never taken for it.
 * @typedef {object} SeenProcess
 * @property {number} pid
 * @property {number} parent
 * @property {string} startTime ticks since boot, field 22 of proc(5)'s stat
 * @property {string[]} args
 * @property {() => boolean} alive whether this very process still runs (a zombie doesn't)
 */

/**
 * @param {number} pid
 * @returns {SeenProcess | undefined} undefined when there is none, or only a zombie
 */
export function seeProcess(pid) {
  const stat = readStat(pid);
  if (!stat || stat.state === 'Z') return undefined;
  const { startTime, parent } = stat;
  const args = readOr(`/proc/${pid}/cmdline`)?.split('\0').slice(0, -1) ?? [];
  return { pid, parent, startTime, args, alive: () => aliveSince(pid, startTime) };
}

/** @returns {Promise<SeenProcess[]>} */
export async function listProcesses() {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return names.flatMap((name) => seeProcess(Number(name)) ?? []);
}

/** @param {number} pid @param {string} startTime */
export function aliveSince(pid, startTime) {
  const stat = readStat(pid);
  return stat !== undefined && stat.state !== 'Z' && stat.startTime === startTime;
}

/**
 * Sends a signal unless the process has ended.
 * @param {Pick<SeenProcess, 'pid' | 'startTime'>} process
 * @param {NodeJS.Signals} signal
 */
export function killProcess({ pid, startTime }, signal) {
  if (!aliveSince(pid, startTime)) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}

/** @param {number} pid */
function readStat(pid) {
  const stat = readOr(`/proc/${pid}/stat`);
  // The program's name stands in parentheses and may hold anything, so fields are counted from the last one.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields && { state: fields[0], parent: Number(fields[1]), startTime: String(fields[19]) };
}

/** @param {string} path */
function readOr(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // it has ended
  }
}
