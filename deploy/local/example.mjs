import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { places } from './config.mjs';
import { containerdSocket } from './containerd-config.mjs';
import { listRunningContainers } from './cri.mjs';
import { run } from './exec.mjs';
import { waitFor } from './wait.mjs';
import { nodeProgram, repository } from './workspace.mjs';

const folder = join(repository, 'examples/nginx');

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
  const options = { timeoutMs: 180_000, everyMs: 100, signal };
  const gone = await Promise.all(
    ['deployment/nginx-deployment', 'service/nginx-service'].map((name) => objectOf(api, name).catch(missing)),
  );
  if (gone.includes(undefined)) return undefined;
  await waitFor(
    'the Pods of the example to be Ready (npx navctl get pods shows them)',
    async () => {
      const { items } = await objectOf(api, 'pods');
      const ready = items.filter(isPodReady);
      const running = await listRunningContainers(containerdSocket(config.run));
      update(`${ready.length} of ${items.length} Pods ready`);
      const { spec, status = {} } = await objectOf(api, 'deployment/nginx-deployment');
      const wanted = spec.replicas ?? 1;
      return (
        ready.length === items.length && running.length >= ready.length && (status.availableReplicas ?? 0) >= wanted
      );
    },
    options,
  );
  return waitFor(
    "the example's address to answer",
    async () => {
      const { spec, status } = await objectOf(api, 'service/nginx-service');
      const ip = status?.loadBalancer?.ingress?.[0]?.ip;
      if (!ip) return undefined;
      const { port } = spec.ports[0];
      const url = `http://${ip.includes(':') ? `[${ip}]` : ip}${port === 80 ? '' : `:${port}`}/`;
      update(url);
      // Each Pod behind it should answer, and which one does is chance.
      const request = { signal: AbortSignal.timeout(2000), headers: { connection: 'close' } };
      for (let count = 0; count < 5; count++) if (!(await fetch(url, request)).ok) return undefined;
      return url;
    },
    options,
  );
}

/** @param {{ status?: { conditions?: { type: string, status: string }[] } }} pod */
const isPodReady = (pod) =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

/** @param {string} api @param {string} name @returns {Promise<any>} */
async function objectOf(api, name) {
  return JSON.parse(await navctl(api, ['get', name, '-o', 'json']));
}

/** @param {unknown} error */
function missing(error) {
  if (error instanceof Error && /not ?found/i.test(error.message)) return undefined;
  throw error;
}

/** @param {string} api @param {string[]} args */
async function navctl(api, args) {
  const program = join(repository, 'packages/cli/dist/main.js');
  const env = { ...process.env, NAVARCH_API: api };
  const { code, stdout, stderr } = await run(nodeProgram(), [program, ...args], { env });
  if (code !== 0) throw new Error(`navctl ${args.join(' ')} failed: ${(stderr || stdout).trim()}`);
  return stdout;
}
