import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const execute = promisify(execFile);

/** A cluster as `npm start` makes it, with state of its own. Times are seconds until its scripts returned. */
export interface LocalCluster {
  /** Its durable state. Removed with it. */
  readonly home: string;
  readonly runtimeSocket: string;
  readonly apiAddress: string;
  start(): Promise<number>;
  stop(): Promise<void>;
  remove(): Promise<void>;
  navctl(...args: string[]): Promise<string>;
  processes(): readonly { readonly name: string; readonly pid: number }[];
}

/** Needs the network namespace that `npm run bench` makes: the cluster's ports and devices are fixed. */
export function localCluster(): LocalCluster {
  if (process.env['NAVARCH_TEST_NETWORK'] === undefined) {
    throw new Error('This suite needs a network namespace of its own: run it with `npm run bench -- main-job`.');
  }
  const base = mkdtempSync(join(tmpdir(), 'navarch-bench-'));
  const runDir = join(base, 'run');
  const env = { ...process.env, NAVARCH_HOME: join(base, 'home'), NAVARCH_RUN: runDir, NAVARCH_REGISTRY: 'local' };
  const node = (...args: string[]) =>
    execute(join(root, 'node_modules/.bin/node'), args, { cwd: root, env, maxBuffer: 64 << 20 });
  return {
    home: env.NAVARCH_HOME,
    runtimeSocket: join(runDir, 'containerd.sock'),
    apiAddress: '127.0.0.1:7400',
    async start() {
      const begin = performance.now();
      await node('deploy/local/start.mjs', '--detach');
      return (performance.now() - begin) / 1000;
    },
    async stop() {
      await node('deploy/local/stop.mjs');
    },
    async remove() {
      await node('deploy/local/reset.mjs');
      rmSync(base, { recursive: true, force: true });
    },
    navctl: async (...args) => (await node('packages/cli/bin/navctl.js', ...args)).stdout,
    processes() {
      const files = readdirSync(join(runDir, 'pids')).filter((file) => file.endsWith('.json'));
      return files.map((file) => ({
        name: basename(file, '.json'),
        // What the supervisor wrote down for each process.
        pid: (JSON.parse(readFileSync(join(runDir, 'pids', file), 'utf8')) as { pid: number }).pid,
      }));
    },
  };
}
