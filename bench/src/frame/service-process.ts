import { freePorts, waitFor } from '@navarch/testing';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpuSeconds } from './process-usage.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface ServiceProcessOptions {
  /** The folder in services/. */
  readonly service: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Writes a CPU profile into this folder when it ends. */
  readonly profileDir?: string | undefined;
}

/** A service as it runs in a cluster, in a process of its own. */
export class ServiceProcess {
  readonly name: string;
  readonly #metrics: string;
  readonly #process: ChildProcess;
  #output = '';

  private constructor(options: ServiceProcessOptions, metricsPort: number) {
    const { service, args = [], env, profileDir } = options;
    this.name = service;
    this.#metrics = `127.0.0.1:${metricsPort}`;
    const profile = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
    const folder = join(root, 'services', service);
    // As a cluster starts it.
    const settings = `--env-file-if-exists=${join(folder, 'node.env')}`;
    this.#process = spawn(process.execPath, [settings, ...profile, join(folder, 'dist/main.js'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NODE_ENV: 'production',
        NAVARCH_METRICS: this.#metrics,
        NAVARCH_LOG_LEVEL: 'warn',
        ...env,
      },
    });
    const keep = (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-4000));
    this.#process.stdout?.on('data', keep);
    this.#process.stderr?.on('data', keep);
  }

  /** Started, and ready to be used. */
  static async start(options: ServiceProcessOptions): Promise<ServiceProcess> {
    const [metricsPort = 0] = await freePorts(1);
    const started = new ServiceProcess(options, metricsPort);
    try {
      await waitFor(async () => started.#ended || (await fetch(`http://${started.#metrics}/readyz`)).ok, {
        what: `${options.service} to be ready`,
        timeoutMs: 120_000,
        intervalMs: 5,
      });
      if (started.#ended) throw new Error(`${options.service} ended: ${started.#output}`);
      return started;
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error(`${this.name} was not started`);
    return this.#process.pid;
  }

  /** What it wrote last: warnings and errors. */
  get output(): string {
    return this.#output;
  }

  /** Processor time so far. */
  cpuSeconds(): number {
    return cpuSeconds(this.pid);
  }

  /** The sum of a metric over all of its labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://${this.#metrics}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    if (lines.length === 0) throw new Error(`${this.name} has no metric ${name}`);
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child.pid === undefined || this.#ended) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(late);
  }

  get #ended(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }
}
