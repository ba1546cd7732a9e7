import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { places } from './config.mjs';
import { endProcess, recall, remember } from './pid-files.mjs';
import { killProcess } from './process-table.mjs';
import { waitFor } from './wait.mjs';

const program = fileURLToPath(new URL('supervisor.mjs', import.meta.url));
const patience = { timeoutMs: 10_000 };

/** @type {{ home: string, run: string }} */
let config;
/** @type {string} */
let folder;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'navarch-supervisor-'));
  config = { home: join(folder, 'home'), run: join(folder, 'run') };
  await mkdir(places(config).logs, { recursive: true });
  await mkdir(config.run, { recursive: true });
});
afterEach(async () => {
  for (const file of [places(config).supervisor, pidFile('one'), pidFile('two')]) {
    const running = await recall(file);
    if (running) await endProcess(running, 1000);
  }
  await rm(folder, { recursive: true, force: true });
});

const pidFile = (/** @type {string} */ name) => join(places(config).pids, `${name}.json`);
const sleeper = (/** @type {string} */ name) => ({
  name,
  command: 'sleep',
  args: ['600'],
  env: {},
  after: [],
  ready: { tcp: '127.0.0.1:1' },
});

async function start() {
  await writeFile(places(config).cluster, JSON.stringify({ config, processes: [sleeper('one'), sleeper('two')] }));
  spawn(process.execPath, [program, places(config).cluster], { stdio: 'ignore' });
  return waitFor('the supervisor', () => recall(places(config).supervisor), patience);
}
const running = (/** @type {string} */ name) => waitFor(name, () => recall(pidFile(name)), patience);

test('a killed process comes back, and the others are left alone', async () => {
  await start();
  const [one, two] = await Promise.all([running('one'), running('two')]);
  killProcess(one, 'SIGKILL');
  const again = await waitFor(
    'another process',
    async () => {
      const seen = await recall(pidFile('one'));
      return seen && seen.pid !== one.pid && seen;
    },
    patience,
  );
  expect(again.args).toEqual(['sleep', '600']);
  expect(await recall(pidFile('two'))).toMatchObject({ pid: two.pid });
});

test('killed itself, it leaves its processes running, and a new one takes their place', async () => {
  const first = await start();
  const one = await running('one');
  killProcess(first, 'SIGKILL');
  await waitFor('its end', () => !first.alive(), patience);
  expect(one.alive()).toBe(true);
  await start();
  await waitFor('the old process to end', () => !one.alive(), patience);
  expect((await running('one')).pid).not.toBe(one.pid);
});

test('SIGTERM ends the supervisor and nothing else', async () => {
  const supervisor = await start();
  const one = await running('one');
  await endProcess(supervisor, 5000);
  expect(await recall(places(config).supervisor)).toBeUndefined();
  expect(one.alive()).toBe(true);
});

test('a pid that another process has by now is not taken for ours', async () => {
  const child = spawn('sleep', ['600']);
  try {
    const file = join(config.run, 'child.json');
    await remember(file, Number(child.pid));
    expect(await recall(file)).toMatchObject({ pid: child.pid });
    await writeFile(file, JSON.stringify({ pid: child.pid, startTime: '1' }));
    expect(await recall(file)).toBeUndefined();
    killProcess({ pid: Number(child.pid), startTime: '1' }, 'SIGKILL');
    expect(child.exitCode ?? child.signalCode).toBeNull();
  } finally {
    child.kill('SIGKILL');
  }
});
