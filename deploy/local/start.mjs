// npm start: everything from a fresh clone to an example that answers.
import { mkdir, readlink } from 'node:fs/promises';
import { buildImages } from '../images/build.mjs';
import { pushLayout } from '../images/push.mjs';
import { startSupervisor, startedCluster, stopCluster, supervisorOf, waitReady } from './cluster.mjs';
import { helpText, readConfig } from './config.mjs';
import { applyExampleOnce, waitForExample } from './example.mjs';
import { Failure } from './failure.mjs';
import { needsLocalRegistry } from './internet.mjs';
import { installPackages, missingPackages } from './packages.mjs';
import { checkExamplePort, checkMachine, checkPorts } from './preflight.mjs';
import { planProcesses, reachable } from './processes.mjs';
import { reportFailure } from './report.mjs';
import { step } from './steps.mjs';
import { showReady } from './welcome.mjs';
import { buildWorkspace, installModules } from './workspace.mjs';

const startedAt = performance.now();
const interrupted = new AbortController();
for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(name, () => interrupted.abort());
// Debian's su keeps a user's PATH, which lacks the folders where nft, ip and runc are.
process.env['PATH'] = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;

await reportFailure(async () => {
  const config = readConfig(process.argv.slice(2), process.env);
  if (config.help) return console.log(helpText('npm start'));
  await checkMachine();
  const api = config.join ?? `${reachable(config.host)}:${config.ports.api}`;
  const started = await startedCluster(config);
  if (started && (await supervisorOf(config))) {
    console.log('Navarch is running already.');
    const url = await waitForExample(started.config, apiOf(started.config), () => {}, AbortSignal.timeout(5000)).catch(
      () => undefined,
    );
    return showReady(started.config, { api: apiOf(started.config), url, seconds: undefined });
  }
  // The supervisor died alone: a new one takes its processes' place, and running containers are left in peace.
  const takeOver = started !== undefined && (await canTakeOver(started, config));
  if (started && !takeOver) {
    await step('clean up after a cluster that was not stopped', (update) => stopCluster(config, update));
  }
  try {
    await bringUp(config, api, takeOver);
  } catch (error) {
    // Once processes run, they are stopped; before that there is nothing to stop.
    if (await startedCluster(config))
      await step('stop', (update) => stopCluster({ ...config, stopGraceSeconds: 0 }, update));
    if (!interrupted.signal.aborted) throw error;
    console.log('Interrupted.');
    process.exitCode = 130;
    return;
  }
  if (!config.detach) await stayUntilInterrupted(config);
});

/** @param {import('./config.mjs').Config} config */
function apiOf(config) {
  return config.join ?? `${reachable(config.host)}:${config.ports.api}`;
}

/** @param {import('./cluster.mjs').RunningCluster} started @param {import('./config.mjs').Config} config */
async function canTakeOver(started, config) {
  const same = JSON.stringify(started.config.ports) === JSON.stringify(config.ports);
  return same && started.networkNamespace === (await readlink('/proc/self/ns/net'));
}

/** @param {import('./config.mjs').Config} config @param {string} api @param {boolean} takeOver */
async function bringUp(config, api, takeOver) {
  const { signal } = interrupted;
  if (!takeOver) await checkPorts(config);
  if (config.example) await checkExamplePort();
  await mkdir(config.home, { recursive: true, mode: 0o711 });
  const changed = (/** @type {boolean} */ did) => did;
  const localRegistry = !config.without.includes('registry') && (await needsLocalRegistry(config));

  const missing = missingPackages({ localRegistry, without: config.without });
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    await step(`install Debian packages: ${names}`, (update) => installPackages(missing, update));
  }
  signal.throwIfAborted();
  await step('install npm packages', installModules, { quietUnless: changed });
  signal.throwIfAborted();
  if (config.build) await step('build', buildWorkspace, { quietUnless: changed });
  signal.throwIfAborted();
  const layout = localRegistry
    ? await step('images from Debian packages (no registry on the internet is reached)', (update) =>
        buildImages(config.cache, update),
      )
    : undefined;
  signal.throwIfAborted();

  const processes = await planProcesses(config, { localRegistry });
  await startSupervisor(config, processes);
  for (const spec of processes) {
    await step(spec.name, () => waitReady(config, spec, signal));
    if (spec.name === 'registry' && layout) await pushLayout(layout, `127.0.0.1:${config.ports.registry}`);
  }
  const url = config.example ? await exampleReady(config, api) : undefined;
  showReady(config, { api, url, seconds: (performance.now() - startedAt) / 1000 });
}

/** @param {import('./config.mjs').Config} config @param {string} api */
async function exampleReady(config, api) {
  const all = ['etcd', 'api', 'scheduler', 'controller-manager', 'containerd', 'node-agent'];
  if (config.without.some((name) => all.includes(name))) return undefined; // it could never be ready
  return step('examples/nginx', async (update) => {
    await applyExampleOnce(config, api);
    return waitForExample(config, api, update, interrupted.signal);
  });
}

/** @param {import('./config.mjs').Config} config */
async function stayUntilInterrupted(config) {
  const { signal } = interrupted;
  while (!signal.aborted) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 1000);
      signal.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true });
    });
    if (signal.aborted || (await supervisorOf(config))) continue;
    const started = await startedCluster(config);
    if (!started) return; // npm stop was called elsewhere
    console.log('The supervisor has died; starting it again.');
    await startSupervisor(config, started.processes);
  }
  console.log('');
  const left = await step('stop', (update) => stopCluster(config, update));
  if (left.length > 0) throw new Failure(`Left behind: ${left.join(', ')}`, 'Run npm stop once more.');
}
