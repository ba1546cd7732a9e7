import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { places } from './config.mjs';
import { containerdSocket } from './containerd-config.mjs';
import { listRunningContainers } from './cri.mjs';
import { run } from './exec.mjs';
import { waitFor } from './wait.mjs';
import { nodeProgram, repository } from './workspace.mjs';

const folder = join(repository, 'examples/nginx');
const askAgainMs = 700;

/**
 * Applies examples/nginx to a cluster that never had it. One whose example was deleted since doesn't get it back.
 * @param {import('./config.mjs').Config} config @param {string} api
 */
export async function applyExampleOnce(config, api) {
  const mark = places(config).exampleApplied;
  if ((await readFile(mark, 'utf8').catch(() => '')) !== '') return;
  await navctl(api, ['apply', '-f', folder]);
  await writeFile(mark, 'yes\n');
}

/**
 * Waits until the example serves: its Pods are Ready and their containers really run here (after a start, status may
 * still be that of before the stop), and its address answers.
 * @param {import('./config.mjs').Config} config @param {string} api
 * @param {(detail: string) => void} update @param {AbortSignal} signal
 * @returns {Promise<string | undefined>} the address, or none when the example was deleted
 */
export async function waitForExample(config, api, update, signal) {
  let asked = { at: -Infinity, running: -1 };
  const check = async () => {
    // Asking containerd costs next to nothing; a navctl takes as much from the start as a container does.
    const running = await listRunningContainers(containerdSocket(config.run));
    if (running.length === asked.running && performance.now() - asked.at < askAgainMs) return undefined;
    asked = { at: performance.now(), running: running.length };
    const { items } = JSON.parse(await navctl(api, ['get', 'pods,deployments,services', '-o', 'json']));
    const named = (/** @type {string} */ kind, /** @type {string} */ name) =>
      items.find((/** @type {any} */ item) => item.kind === kind && item.metadata.name === name);
    const deployment = named('Deployment', 'nginx-deployment');
    const service = named('Service', 'nginx-service');
    if (!deployment || !service) return { url: undefined };
    const pods = items.filter((/** @type {any} */ item) => item.kind === 'Pod');
    const ready = pods.filter(isPodReady).length;
    update(`${ready} of ${pods.length} Pods ready`);
    const available = deployment.status?.availableReplicas ?? 0;
    if (ready < pods.length || running.length < ready || available < (deployment.spec.replicas ?? 1)) return undefined;
    const url = addressOf(service);
    return url !== undefined && (await answersOften(url)) && { url };
  };
  const what = 'the example to answer (npx navctl get pods,services shows where it is)';
  return (await waitFor(what, check, { timeoutMs: 180_000, everyMs: 50, signal })).url;
}

/** @param {{ spec: { ports: { port: number }[] }, status?: { loadBalancer?: { ingress?: { ip: string }[] } } }} service */
function addressOf({ spec, status }) {
  const ip = status?.loadBalancer?.ingress?.[0]?.ip;
  const port = spec.ports[0]?.port;
  if (!ip) return undefined;
  return `http://${ip.includes(':') ? `[${ip}]` : ip}${port === 80 ? '' : `:${port}`}/`;
}

/** Each Pod behind the address should answer, and which one does is chance. @param {string} url */
async function answersOften(url) {
  for (let count = 0; count < 5; count++) {
    const request = { signal: AbortSignal.timeout(2000), headers: { connection: 'close' } };
    if (!(await fetch(url, request)).ok) return false;
  }
  return true;
}

/** @param {{ status?: { conditions?: { type: string, status: string }[] } }} pod */
const isPodReady = (pod) =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

/** @param {string} api @param {string[]} args */
async function navctl(api, args) {
  const program = join(repository, 'packages/cli/bin/navctl.js');
  const env = { ...process.env, NAVARCH_API: api };
  const { code, stdout, stderr } = await run(nodeProgram(), [program, ...args], { env });
  if (code !== 0) throw new Error(`navctl ${args.join(' ')} failed: ${(stderr || stdout).trim()}`);
  return stdout;
}
