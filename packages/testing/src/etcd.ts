import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-port.ts';
import { waitFor } from './wait-for.ts';

export interface EtcdOptions {
  /** Whether etcd flushes to disk before it acknowledges. Off by default: only a power cut would tell. */
  readonly fsync?: boolean;
  /** More command line flags for etcd. */
  readonly flags?: readonly string[];
}

/** A real etcd of one member on loopback, with a data folder of its own. */
export class EtcdServer implements AsyncDisposable {
  /** `127.0.0.1:port`, the same across restarts. */
  readonly endpoint: string;
  readonly port: number;
  readonly #dataDir: string;
  readonly #peerPort: number;
  readonly #options: EtcdOptions;
  #process: ChildProcess | undefined;
  #output = '';

  constructor(dataDir: string, ports: { client: number; peer: number }, options: EtcdOptions) {
    this.port = ports.client;
    this.endpoint = `127.0.0.1:${ports.client}`;
    this.#peerPort = ports.peer;
    this.#dataDir = dataDir;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts the process on the data that is there, and waits until it serves. */
  async start(): Promise<void> {
    if (this.#process) return;
    const client = `http://${this.endpoint}`;
    const peer = `http://127.0.0.1:${this.#peerPort}`;
    const flags = {
      name: 'test',
      'data-dir': join(this.#dataDir, 'data'),
      'log-level': 'error',
      logger: 'zap',
      'listen-client-urls': client,
      'advertise-client-urls': client,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': `test=${peer}`,
      'unsafe-no-fsync': !this.#options.fsync,
    };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const child = spawn('etcd', [...args, ...(this.#options.flags ?? [])], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    this.#output = '';
    let failure: Error | undefined;
    child.on('error', (error) => (failure = error));
    child.stderr?.on('data', (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-4000)));
    await waitFor(
      async () => {
        if (failure || child.exitCode !== null) return true;
        const response = await fetch(`${client}/health`, { signal: AbortSignal.timeout(1000) });
        return response.ok && (await response.text()).includes('"true"');
      },
      { what: `etcd on ${this.endpoint} to be healthy`, timeoutMs: 20_000 },
    );
    if (failure) throw new Error(`etcd doesn't start (is Debian's etcd-server installed?): ${failure.message}`);
    if (child.exitCode !== null) throw new Error(`etcd ended with code ${child.exitCode}: ${this.#output}`);
  }

  /** Ends the process at once (kill -9 by default) and keeps its data: `start` goes on from there. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** Ends the process and removes its data. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#dataDir, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Starts a real etcd on free ports and waits until it serves. Whoever starts it calls `stop`. */
export async function startEtcd(options: EtcdOptions = {}): Promise<EtcdServer> {
  // Another process may take a free port before etcd does: then try with others.
  for (let attempt = 1; ; attempt++) {
    const [client = 0, peer = 0] = await freePorts(2);
    const server = new EtcdServer(await mkdtemp(join(tmpdir(), 'nv-etcd-')), { client, peer }, options);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.stop();
      if (attempt === 3) throw error;
    }
  }
}
