import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { waitFor } from './wait-for.ts';

export interface NatsOptions {
  /** Where JetStream keeps its files. Default: a new temporary folder. `stop` removes it either way. */
  readonly dir?: string;
  /** Default: a free one. */
  readonly port?: number;
}

/** A real nats-server with JetStream on loopback, with a data folder of its own. */
export class NatsServer implements AsyncDisposable {
  /** `nats://127.0.0.1:port`, the same across restarts. */
  readonly url: string;
  readonly port: number;
  readonly #dir: string;
  #process: ChildProcess | undefined;

  constructor(dir: string, port: number) {
    this.#dir = dir;
    this.port = port;
    this.url = `nats://127.0.0.1:${port}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts the process on the data that is there, and waits until it serves. */
  async start(): Promise<void> {
    if (this.#process) return;
    const flags = ['--addr', '127.0.0.1', '--port', String(this.port), '--jetstream', '--store_dir', this.#dir];
    const child = spawn('nats-server', flags, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    let output = '';
    let failure: Error | undefined;
    child.on('error', (error) => (failure = error));
    child.stderr?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000)));
    const settled = () => failure !== undefined || child.exitCode !== null;
    await waitFor(async () => settled() || (await greets(this.port)), {
      what: `nats-server on ${this.url} to serve`,
      timeoutMs: 20_000,
    });
    if (failure) throw new Error(`nats-server doesn't start (is Debian's nats-server installed?): ${failure.message}`);
    if (child.exitCode !== null) throw new Error(`nats-server ended with code ${child.exitCode}: ${output}`);
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

  /** `kill -9`, then `start` on the same data and port. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Forgets every stream. Only while no process runs. */
  async wipe(): Promise<void> {
    if (this.#process) throw new Error('kill the nats-server before wiping its data');
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** Ends the process and removes its data. */
  async stop(): Promise<void> {
    await this.kill();
    await this.wipe();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Starts a real nats-server and waits until it serves. Whoever starts it calls `stop`. */
export async function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  // Another process may take a free port before nats-server does: then try with others.
  for (let attempt = 1; ; attempt++) {
    const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'nv-nats-')));
    const server = new NatsServer(dir, options.port ?? (await freePort()));
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.stop();
      if (attempt === 3 || options.port !== undefined) throw error;
    }
  }
}

/** Whether somebody on `port` speaks first, and in NATS' words. */
async function greets(port: number): Promise<boolean> {
  const socket = createConnection({ host: '127.0.0.1', port });
  try {
    const [chunk] = await once(socket, 'data', { signal: AbortSignal.timeout(1000) });
    return String(chunk).startsWith('INFO ');
  } finally {
    socket.destroy();
  }
}
