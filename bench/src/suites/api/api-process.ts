import { waitFor, freePorts } from '@navarch/testing';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** As a cluster starts it. */
const nodeFlags = [`--env-file=${join(root, 'services/api/node.env')}`];

export interface ApiProcessOptions {
  readonly etcd: string;
  /** Without it there is no bus, which the api does not need. */
  readonly nats?: string;
  /** Writes a CPU profile into this folder when it ends. */
  readonly profileDir?: string | undefined;
}

/** The api as it runs in a cluster. */
export class ApiProcess {
  readonly address: string;
  readonly #metrics: string;
  readonly #process: ChildProcess;
  #output = '';

  private constructor(options: ApiProcessOptions, [port, metrics, noNats]: readonly number[]) {
    this.address = `127.0.0.1:${port}`;
    this.#metrics = `127.0.0.1:${metrics}`;
    const profile = options.profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profileDir}`];
    this.#process = spawn(process.execPath, [...nodeFlags, ...profile, join(root, 'services/api/dist/main.js')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NODE_ENV: 'production',
        NAVARCH_ETCD: options.etcd,
        NAVARCH_NATS: options.nats ?? `nats://127.0.0.1:${noNats}`,
        NAVARCH_LISTEN: this.address,
        NAVARCH_METRICS: this.#metrics,
        NAVARCH_LOG_LEVEL: 'warn',
      },
    });
    const keep = (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-4000));
    this.#process.stdout?.on('data', keep);
    this.#process.stderr?.on('data', keep);
  }

  /** Started, and ready to be used. */
  static async start(options: ApiProcessOptions): Promise<ApiProcess> {
    const api = new ApiProcess(options, await freePorts(3));
    try {
      const ended = () => api.#process.exitCode !== null || api.#process.signalCode !== null;
      await waitFor(async () => ended() || (await fetch(`http://${api.#metrics}/readyz`)).ok, {
        what: `the api on ${api.address} to be ready`,
        timeoutMs: 120_000,
        intervalMs: 5,
      });
      if (ended()) throw new Error(`the api ended: ${api.#output}`);
      return api;
    } catch (error) {
      await api.stop();
      throw error;
    }
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error('the api was not started');
    return this.#process.pid;
  }

  /** The sum of a metric over all of its labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://${this.#metrics}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    if (lines.length === 0) throw new Error(`the api has no metric ${name}`);
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(late);
  }
}
