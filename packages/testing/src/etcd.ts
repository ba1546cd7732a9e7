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

/** What a member knows of the others: `a=http://127.0.0.1:1,b=…`, and its own name in that. */
interface Membership {
  readonly name: string;
  readonly cluster: string;
}

/** A real etcd member on loopback, with a data folder of its own. */
export class EtcdServer implements AsyncDisposable {
  /** `127.0.0.1:port`, the same across restarts. */
  readonly endpoint: string;
  readonly port: number;
  readonly #dataDir: string;
  readonly #peerPort: number;
  readonly #options: EtcdOptions;
  readonly #membership: Membership;
  #process: ChildProcess | undefined;
  #output = '';

  /** Alone, unless `membership` says otherwise. */
  constructor(
    dataDir: string,
    ports: { client: number; peer: number },
    options: EtcdOptions,
    membership: Membership = { name: 'test', cluster: `test=http://127.0.0.1:${ports.peer}` },
  ) {
    this.#membership = membership;
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
      name: this.#membership.name,
      'data-dir': join(this.#dataDir, 'data'),
      'log-level': 'error',
      logger: 'zap',
      'listen-client-urls': client,
      'advertise-client-urls': client,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': this.#membership.cluster,
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

/** Several members of one cluster. */
export class EtcdCluster implements AsyncDisposable {
  readonly members: readonly EtcdServer[];
  /** All of them, with commas between. */
  readonly endpoints: string;

  constructor(members: readonly EtcdServer[]) {
    this.members = members;
    this.endpoints = members.map(({ endpoint }) => endpoint).join(',');
  }

  /** Ends all processes and removes their data. */
  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Starts a cluster of real etcd processes on free ports and waits until all of them serve. Whoever starts it calls `stop`. */
export async function startEtcdCluster(size: number, options: EtcdOptions = {}): Promise<EtcdCluster> {
  // Another process may take a free port before etcd does: then try with others.
  for (let attempt = 1; ; attempt++) {
    const ports = await freePorts(2 * size);
    const pairs = Array.from({ length: size }, (_, i) => ({ client: ports[2 * i] ?? 0, peer: ports[2 * i + 1] ?? 0 }));
    const cluster = pairs.map(({ peer }, i) => `m${i}=http://127.0.0.1:${peer}`).join(',');
    const members = await Promise.all(
      pairs.map(async (pair, i) => {
        const dataDir = await mkdtemp(join(tmpdir(), 'nv-etcd-'));
        return new EtcdServer(dataDir, pair, options, { name: `m${i}`, cluster });
      }),
    );
    const started = new EtcdCluster(members);
    try {
      await Promise.all(members.map((member) => member.start()));
      return started;
    } catch (error) {
      await started.stop();
      if (attempt === 3) throw error;
    }
  }
}
