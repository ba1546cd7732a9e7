// Keeps the processes of a cluster running: restarts any that ends, with back-off, and bounds their logs.
// It holds nothing that matters: after its own death a new one takes the place of its processes, and containers, which
// belong to their shims, are not touched. SIGTERM ends the supervisor alone; stop.mjs ends the processes.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { places } from './config.mjs';
import { bound } from './log-files.mjs';
import { endProcess, forget, recall, remember } from './pid-files.mjs';
import { seeProcess } from './process-table.mjs';
import { isReady } from './ready.mjs';
import { waitFor } from './wait.mjs';

const firstBackoffMs = 100;
const maxBackoffMs = 10_000;
const healthyAfterMs = 20_000; // running this long resets the back-off
const boundLogsEveryMs = 5000;

const file = String(process.argv[2]);
const inheritLogs = process.argv[3] === 'inherit'; // in a container, whose engine keeps them
/** @type {{ config: import('./config.mjs').Config, processes: import('./processes.mjs').ProcessSpec[] }} */
const { config, processes } = JSON.parse(await readFile(file, 'utf8'));
const place = places(config);
const stopping = new AbortController();
const { signal } = stopping;

/** @param {string} event @param {Record<string, unknown>} fields */
const log = (event, fields) => console.error(JSON.stringify({ time: new Date().toISOString(), event, ...fields }));

for (const name of /** @type {const} */ (['SIGTERM', 'SIGINT'])) process.on(name, () => stopping.abort());
process.on('SIGHUP', () => {}); // the terminal that started us may close

await mkdir(place.pids, { recursive: true, mode: 0o700 });
await remember(place.supervisor, process.pid);
log('supervising', { pid: process.pid, processes: processes.map(({ name }) => name) });
await Promise.all([...processes.map((spec) => keepRunning(spec)), boundLogs()]);
await forget(place.supervisor);
process.exit(0); // leaving children behind is meant

/** @param {import('./processes.mjs').ProcessSpec} spec */
async function keepRunning(spec) {
  const pidFile = join(place.pids, `${spec.name}.json`);
  const old = await recall(pidFile);
  if (old) await endProcess(old, 5000); // an earlier supervisor's; we can't wait for what isn't our child
  await afterOthers(spec);
  for (let backoffMs = firstBackoffMs; !signal.aborted; ) {
    const startedAt = performance.now();
    const ended = await runOnce(spec, pidFile);
    if (signal.aborted) return;
    if (performance.now() - startedAt > healthyAfterMs) backoffMs = firstBackoffMs;
    const waitMs = backoffMs * (0.5 + Math.random() / 2);
    log('ended', { process: spec.name, ...ended, restartsInMs: Math.round(waitMs) });
    await sleep(waitMs, undefined, { signal }).catch(() => {}); // aborted: the loop's condition ends it
    backoffMs = Math.min(backoffMs * 2, maxBackoffMs);
  }
}

/** @param {import('./processes.mjs').ProcessSpec} spec */
async function afterOthers(spec) {
  for (const name of spec.after) {
    const other = processes.find((candidate) => candidate.name === name);
    // One that never gets ready keeps nobody from starting: every process waits by itself for what it needs.
    if (other) await waitFor(name, () => isReady(other.ready), { timeoutMs: 20_000, signal }).catch(() => {});
  }
}

/** @param {import('./processes.mjs').ProcessSpec} spec @param {string} pidFile */
async function runOnce(spec, pidFile) {
  // Logs go straight to the file: through a pipe of ours, they'd end the process when we die.
  const out = inheritLogs ? 2 : openSync(join(place.logs, `${spec.name}.log`), 'a', 0o600);
  const child = spawn(spec.command, spec.args, { env: { ...process.env, ...spec.env }, stdio: ['ignore', out, out] });
  if (!inheritLogs) closeSync(out);
  const ended = new Promise((resolve) => {
    child.once('exit', (code, killedBy) => resolve({ code, signal: killedBy }));
    child.once('error', (error) => resolve({ error: error.message }));
    signal.addEventListener('abort', () => resolve({}), { once: true });
  });
  if (child.pid && seeProcess(child.pid)) await remember(pidFile, child.pid);
  log('started', { process: spec.name, pid: child.pid });
  return /** @type {Promise<Record<string, unknown>>} */ (ended);
}

async function boundLogs() {
  while (!signal.aborted) {
    for (const name of ['supervisor', ...processes.map((spec) => spec.name)])
      await bound(join(place.logs, `${name}.log`));
    await sleep(boundLogsEveryMs, undefined, { signal }).catch(() => {});
  }
}
