import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { killProcess, seeProcess } from './process-table.mjs';
import { waitFor } from './wait.mjs';

/**
 * Writes down a process that runs, with its start time: a pid alone may be another process' tomorrow.
 * @param {string} file @param {number} pid
 */
export async function remember(file, pid) {
  const seen = seeProcess(pid);
  if (!seen) return; // it has ended already
  await writeFile(`${file}.new`, JSON.stringify({ pid, startTime: seen.startTime }));
  await rename(`${file}.new`, file);
}

/**
 * @param {string} file
 * @returns {Promise<import('./process-table.mjs').SeenProcess | undefined>} the process, if that very one still runs
 */
export async function recall(file) {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (!text) return undefined;
  const { pid, startTime } = JSON.parse(text);
  const seen = seeProcess(pid);
  return seen?.startTime === startTime ? seen : undefined;
}

/** @param {string} file */
export const forget = (file) => rm(file, { force: true });

/**
 * Ends a process: SIGTERM, and SIGKILL when that takes too long.
 * @param {import('./process-table.mjs').SeenProcess} seen
 * @param {number} graceMs
 */
export async function endProcess(seen, graceMs) {
  const gone = () => !seen.alive();
  killProcess(seen, 'SIGTERM');
  const ended = await waitFor('its end', gone, { timeoutMs: graceMs, everyMs: 20 }).catch(() => false);
  if (ended) return;
  killProcess(seen, 'SIGKILL');
  await waitFor(`process ${seen.pid} to end`, gone, { timeoutMs: 5000, everyMs: 20 });
}
