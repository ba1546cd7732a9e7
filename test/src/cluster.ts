import { type ExecFileOptions, execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const nodeBinary = join(root, 'node_modules/.bin/node');

/** The processes of a local cluster, by the names of their pid files. */
export type Part =
  | 'etcd'
  | 'nats'
  | 'containerd'
  | 'api'
  | 'scheduler'
  | 'controller-manager'
  | 'gateway'
  | 'node-agent';

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A cluster of real processes, started as a user starts it, in the network namespace that the test runs in. */
export interface Cluster {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs navctl; rejects with what it printed when it fails. */
  navctl(...args: string[]): Promise<string>;
  /** Runs navctl and gives what it did, also when it fails; `input` goes to its standard input. */
  tryNavctl(args: readonly string[], input?: string): Promise<Finished>;
  /** What `navctl … -o json` prints, parsed. */
  json<T>(...args: string[]): Promise<T>;
  /** The part's process id now; undefined while it is down. */
  pid(part: Part): number | undefined;
  /** Kills the part as `kill -9` does. Its supervisor starts it again. */
  kill(part: Part): number;
  stop(): Promise<void>;
  start(): Promise<string>;
  /** Stops, and removes all state. */
  remove(): Promise<void>;
}

export interface ClusterOptions {
  /** Parts that are not started: the cluster must do without. */
  readonly without?: readonly 'nats'[];
  /** Apply examples/nginx and wait for it, as `npm start` does by default. */
  readonly example?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Makes a cluster of its own and starts it. Throws with what the start script printed when that fails. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  requireTestNetwork();
  const base = mkdtempSync(join(tmpdir(), 'navarch-test-'));
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    NAVARCH_HOME: join(base, 'home'),
    NAVARCH_RUN: join(base, 'run'),
    NAVARCH_REGISTRY: 'local',
    ...options.env,
  };
  const run = (file: string, args: readonly string[], more: ExecFileOptions & { input?: string } = {}) =>
    execute(file, args, { cwd: root, env, maxBuffer: 64 << 20, ...more });
  const startArgs = ['deploy/local/start.mjs', '--detach'];
  if (options.example !== true) startArgs.push('--no-example');
  for (const part of options.without ?? []) startArgs.push('--without', part);

  const cluster: Cluster = {
    home: join(base, 'home'),
    env,
    tryNavctl: (args, input) =>
      run(nodeBinary, ['packages/cli/bin/navctl.js', ...args], input === undefined ? {} : { input }),
    async navctl(...args) {
      const finished = await cluster.tryNavctl(args);
      if (finished.code === 0) return finished.stdout;
      throw new Error(`navctl ${args.join(' ')} ended with ${finished.code}:\n${finished.stderr}${finished.stdout}`);
    },
    // The caller names the shape that it asked for.
    json: async <T>(...args: string[]) => JSON.parse(await cluster.navctl(...args, '-o', 'json')) as T,
    pid: (part) => pidOf(env['NAVARCH_RUN'] ?? '', part),
    kill(part) {
      const pid = cluster.pid(part);
      if (pid === undefined) throw new Error(`${part} does not run, so it can't be killed`);
      process.kill(pid, 'SIGKILL');
      return pid;
    },
    async start() {
      const finished = await run(nodeBinary, startArgs, { timeout: 170_000 });
      if (finished.code === 0) return finished.stdout;
      throw new Error(`the cluster did not start (${finished.code}):\n${finished.stdout}${finished.stderr}`);
    },
    async stop() {
      const finished = await run(nodeBinary, ['deploy/local/stop.mjs'], { timeout: 60_000 });
      if (finished.code !== 0) throw new Error(`the cluster did not stop:\n${finished.stdout}${finished.stderr}`);
    },
    async remove() {
      const finished = await run(nodeBinary, ['deploy/local/reset.mjs'], { timeout: 60_000 });
      if (finished.code !== 0) throw new Error(`reset failed:\n${finished.stdout}${finished.stderr}`);
      rmSync(base, { recursive: true, force: true });
    },
  };
  try {
    await cluster.start();
  } catch (error) {
    await cluster.remove();
    throw error;
  }
  return cluster;
}

/** Clusters use fixed ports, devices and firewall tables: a test must not touch those of the machine itself. */
function requireTestNetwork(): void {
  if (process.env['NAVARCH_TEST_NETWORK'] === undefined) {
    throw new Error('System tests need a network namespace of their own: run them with `npm test`.');
  }
}

function pidOf(runDir: string, part: Part): number | undefined {
  try {
    // What the supervisor wrote down: { pid, startTime }.
    const { pid } = JSON.parse(readFileSync(join(runDir, 'pids', `${part}.json`), 'utf8')) as { pid: number };
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined; // no file, or no such process: it is down
  }
}

/** Runs a program to its end. A code other than 0 is a value, not an error. */
export function execute(
  file: string,
  args: readonly string[],
  options: ExecFileOptions & { input?: string } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const { input, ...rest } = options;
    const child = execFile(file, [...args], { ...rest, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') {
        const words = `${file} ${args.join(' ')} did not end by itself; until then it printed:\n${stdout}${stderr}`;
        return reject(new Error(words, { cause: error }));
      }
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
    child.stdin?.on('error', () => {}); // a program may end without reading its input
    child.stdin?.end(input ?? '');
  });
}
