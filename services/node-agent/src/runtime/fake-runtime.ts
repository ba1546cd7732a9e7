import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ApiError } from '@navarch/machinery';
import { dialLoopback } from './dial-loopback.ts';
import { FakeProcess, silence } from './fake-process.ts';
import type {
  Attached,
  AttachOptions,
  ContainerConfig,
  ContainerInfo,
  ContainerUsage,
  ExecOptions,
  ExecProcess,
  ExecSyncResult,
  ImageInfo,
  Labels,
  Runtime,
  RuntimeSnapshot,
  RuntimeStatus,
  RuntimeVersion,
  SandboxConfig,
  SandboxInfo,
  SandboxNetwork,
} from './runtime.ts';

/** How a fake container behaves. */
export interface FakeProgram {
  /** The exit code when asked to end; null for a program that has to be killed. Default 0. */
  readonly onTerm?: number | null;
  /** Ends at once, with this code. */
  readonly exitsWith?: number;
  /** The ports it listens on. All when undefined. */
  readonly listens?: readonly number[];
}

const everyPort: ReadonlySet<number> = new Set(Array.from({ length: 65_535 }, (_, index) => index + 1));

export interface FakeRuntimeOptions {
  readonly now?: () => number;
  readonly images?: readonly string[];
  /** Images that can be pulled; all when undefined. */
  readonly registry?: readonly string[];
  readonly program?: (config: ContainerConfig) => FakeProgram;
  /** The first three numbers of its Pods' addresses. Default `10.244.0`. */
  readonly podNetwork?: string;
}

/** What a fake container uses. */
export interface FakeUsage {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

interface FakeContainer {
  info: ContainerInfo;
  readonly program: FakeProgram;
  readonly config: ContainerConfig;
  process?: FakeProcess;
}

/**
 * Containers as entries in a map: no process runs. Commands of `exec` do run, on the machine itself, and so does what a
 * container with stdin runs. All sandboxes' loopback is that of the machine.
 * `fail` makes the next call of a method fail; `crash` ends a container from outside.
 */
export class FakeRuntime implements Runtime {
  readonly images = new Set<string>();
  readonly #calls = new Map<keyof Runtime, number>();
  readonly #options: FakeRuntimeOptions;
  readonly #sandboxes = new Map<string, SandboxInfo>();
  readonly #containers = new Map<string, FakeContainer>();
  readonly #failures = new Map<keyof Runtime, Error[]>();
  readonly #listeners = new Set<(id: string) => void>();
  readonly #used = new Map<string, { cpuNanoseconds: bigint; atMs: number }>();
  #counter = 0;
  #usage: (container: ContainerInfo) => FakeUsage = () => ({ cpuMillis: 0, memoryBytes: 0 });

  constructor(options: FakeRuntimeOptions = {}) {
    this.#options = options;
    for (const image of options.images ?? []) this.images.add(image);
  }

  /** The next call of `method` fails with `error`. */
  fail(method: keyof Runtime, error: Error): void {
    this.#failures.set(method, [...(this.#failures.get(method) ?? []), error]);
  }

  /** How often `method` was called. */
  callsOf(method: keyof Runtime): number {
    return this.#calls.get(method) ?? 0;
  }

  /** From now on running containers use so much. */
  use(usage: (container: ContainerInfo) => FakeUsage): void {
    this.#tally();
    this.#usage = usage;
  }

  /** Ends a container as if its program had. */
  crash(id: string, exitCode: number): void {
    this.#exit(this.#container(id), exitCode);
  }

  /** Kills a sandbox and what is in it. */
  crashSandbox(id: string): void {
    for (const container of this.#containers.values()) {
      if (container.info.sandboxId === id) this.#exit(container, 137);
    }
    this.#sandboxes.set(id, { ...this.#sandbox(id), ready: false });
    this.#announce(id);
  }

  async version(): Promise<RuntimeVersion> {
    return { name: 'fake', version: '1' };
  }

  async status(): Promise<RuntimeStatus> {
    this.#called('status');
    return { runtimeReady: true, networkReady: true, message: '' };
  }

  async imageStatus(image: string): Promise<ImageInfo | undefined> {
    this.#called('imageStatus');
    if (!this.images.has(image)) return undefined;
    return { id: `id-of-${image}`, tags: [image], digests: [], sizeBytes: 1, uid: undefined, username: '' };
  }

  async pullImage(image: string): Promise<string> {
    this.#called('pullImage');
    if (this.#options.registry?.includes(image) === false || image.startsWith('registry.invalid/')) {
      throw new ApiError('NotFound', `${image}: not found`);
    }
    this.images.add(image);
    return `id-of-${image}`;
  }

  async listImages(): Promise<ImageInfo[]> {
    const infos = await Promise.all([...this.images].map((image) => this.imageStatus(image)));
    return infos.filter((info) => info !== undefined);
  }

  async removeImage(image: string): Promise<void> {
    this.images.delete(image);
  }

  async runSandbox(config: SandboxConfig): Promise<string> {
    this.#called('runSandbox');
    const id = `sandbox-${++this.#counter}`;
    const { pod, attempt, labels, annotations } = config;
    this.#sandboxes.set(id, { id, pod, attempt, ready: true, createdAtMs: this.#now(), labels, annotations });
    return id;
  }

  async stopSandbox(id: string): Promise<void> {
    this.#called('stopSandbox');
    if (this.#sandboxes.get(id)?.ready) this.crashSandbox(id);
  }

  async removeSandbox(id: string): Promise<void> {
    this.#called('removeSandbox');
    this.#sandboxes.delete(id);
    for (const { info } of this.#containers.values()) {
      if (info.sandboxId !== id) continue;
      this.#containers.delete(info.id);
      this.#used.delete(info.id);
    }
  }

  async createContainer(sandboxId: string, config: ContainerConfig): Promise<string> {
    this.#called('createContainer');
    this.#sandbox(sandboxId);
    const id = `container-${++this.#counter}`;
    const info: ContainerInfo = {
      id,
      sandboxId,
      name: config.name,
      attempt: config.attempt,
      state: 'created',
      createdAtMs: this.#now(),
      startedAtMs: 0,
      finishedAtMs: 0,
      exitCode: 0,
      reason: '',
      message: '',
      image: config.image,
      imageRef: `id-of-${config.image}`,
      logPath: config.logPath,
      labels: config.labels,
      annotations: config.annotations,
    };
    this.#containers.set(id, { info, program: this.#options.program?.(config) ?? {}, config });
    return id;
  }

  async startContainer(id: string): Promise<void> {
    this.#called('startContainer');
    const container = this.#container(id);
    container.info = { ...container.info, state: 'running', startedAtMs: this.#now() };
    if (container.program.exitsWith !== undefined) return this.#exit(container, container.program.exitsWith);
    if (!container.config.stdin) return;
    container.process = new FakeProcess(container.config, (exitCode) => this.#exit(container, exitCode));
  }

  async stopContainer(id: string, graceSeconds: number): Promise<void> {
    this.#called('stopContainer');
    const container = this.#containers.get(id);
    if (container?.info.state !== 'running') return;
    const { onTerm = 0 } = container.program;
    this.#exit(container, graceSeconds > 0 && onTerm !== null ? onTerm : 137);
  }

  async removeContainer(id: string): Promise<void> {
    this.#called('removeContainer');
    this.#used.delete(id);
    this.#containers.delete(id);
  }

  async listSandboxes(labels: Labels): Promise<SandboxInfo[]> {
    this.#called('listSandboxes');
    return [...this.#sandboxes.values()].filter((info) => matches(info.labels, labels)).reverse();
  }

  async listContainers(labels: Labels): Promise<ContainerInfo[]> {
    this.#called('listContainers');
    const infos = [...this.#containers.values()].map((container) => container.info);
    return infos.filter((info) => matches(info.labels, labels)).reverse();
  }

  async snapshot(): Promise<RuntimeSnapshot> {
    return { sandboxes: await this.listSandboxes({}), containers: await this.listContainers({}) };
  }

  async sandboxIp(id: string): Promise<string> {
    this.#sandbox(id);
    return `${this.#options.podNetwork ?? '10.244.0'}.${Number(id.split('-')[1]) % 250}`;
  }

  async *exits(signal: AbortSignal): AsyncIterable<{ readonly id: string }> {
    const waiting: string[] = [];
    let wake = () => {};
    const listener = (id: string) => {
      waiting.push(id);
      wake();
    };
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => wake(), { once: true });
    while (!signal.aborted) {
      const id = waiting.shift();
      if (id !== undefined) yield { id };
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    this.#listeners.delete(listener);
  }

  async listening(id: string): Promise<ReadonlySet<number>> {
    this.#called('listening');
    const { listens } = this.#container(id).program;
    return listens === undefined ? everyPort : new Set(listens);
  }

  async execSync(id: string, command: readonly string[]): Promise<ExecSyncResult> {
    this.#called('execSync');
    const process = await this.exec(id, { command, tty: false, stdin: false });
    const [stdout, stderr, { exitCode }] = await Promise.all([
      collect(process.stdout),
      collect(process.stderr),
      process.exit,
    ]);
    return { exitCode, stdout, stderr };
  }

  async exec(id: string, options: ExecOptions): Promise<ExecProcess> {
    this.#called('exec');
    if (this.#container(id).info.state !== 'running') throw new ApiError('BadRequest', `container ${id} does not run`);
    const [program = '', ...args] = options.command;
    const child = spawn(program, args, { stdio: 'pipe' });
    await new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new ApiError('BadRequest', `${program}: not found`, { cause: error })));
    });
    if (!options.stdin) child.stdin.end();
    const exit = new Promise<{ exitCode: number }>((resolve) => {
      child.once('close', (code) => resolve({ exitCode: code ?? 137 }));
    });
    return {
      stdin: options.stdin ? child.stdin : undefined,
      stdout: child.stdout,
      stderr: options.tty ? undefined : child.stderr,
      exit,
      resize: async () => {},
      kill: async (signal) => void child.kill(signal),
    };
  }

  async attach(id: string, options: AttachOptions): Promise<Attached> {
    this.#called('attach');
    const container = this.#container(id);
    if (container.info.state !== 'running') throw new ApiError('BadRequest', `container ${id} does not run`);
    return container.process?.attach(options) ?? silence(this.#ended(id), options.tty);
  }

  async network(sandboxId: string): Promise<SandboxNetwork> {
    this.#called('network');
    if (!this.#sandbox(sandboxId).ready) throw new ApiError('BadRequest', `sandbox ${sandboxId} does not run`);
    const dial = (port: number) =>
      dialLoopback(port).catch((error: Error) => {
        throw new ApiError('BadRequest', error.message, { cause: error });
      });
    return { dial, close: () => {} };
  }

  async reopenLog(): Promise<void> {
    this.#called('reopenLog');
  }

  async stats(): Promise<ContainerUsage[]> {
    this.#called('stats');
    this.#tally();
    return this.#running().map((info) => ({
      containerId: info.id,
      labels: info.labels,
      timestampMs: this.#now(),
      cpuNanoseconds: this.#used.get(info.id)?.cpuNanoseconds ?? 0n,
      memoryWorkingSetBytes: BigInt(this.#usage(info).memoryBytes),
    }));
  }

  close(): void {}

  #running(): ContainerInfo[] {
    return [...this.#containers.values()].map(({ info }) => info).filter(({ state }) => state === 'running');
  }

  /** Counts what was used since it was last counted. */
  #tally(): void {
    const atMs = this.#now();
    for (const info of this.#running()) {
      const last = this.#used.get(info.id) ?? { cpuNanoseconds: 0n, atMs: info.startedAtMs };
      const used = BigInt(Math.round(this.#usage(info).cpuMillis * 1000 * (atMs - last.atMs)));
      this.#used.set(info.id, { cpuNanoseconds: last.cpuNanoseconds + used, atMs });
    }
  }

  #exit(container: FakeContainer, exitCode: number): void {
    if (container.info.state === 'exited') return;
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    container.info = { ...container.info, state: 'exited', exitCode, reason, finishedAtMs: this.#now() };
    container.process?.kill();
    this.#announce(container.info.id);
  }

  #ended(id: string): Promise<void> {
    return new Promise((resolve) => {
      const listener = (ended: string) => {
        if (ended !== id) return;
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
  }

  #announce(id: string): void {
    for (const listener of this.#listeners) listener(id);
  }

  #container(id: string): FakeContainer {
    const container = this.#containers.get(id);
    if (!container) throw new ApiError('NotFound', `container ${id} not found`);
    return container;
  }

  #sandbox(id: string): SandboxInfo {
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox) throw new ApiError('NotFound', `sandbox ${id} not found`);
    return sandbox;
  }

  #called(method: keyof Runtime): void {
    this.#calls.set(method, this.callsOf(method) + 1);
    const error = this.#failures.get(method)?.shift();
    if (error) throw error;
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now();
  }
}

function matches(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

async function collect(stream: Readable | undefined): Promise<Buffer> {
  return stream === undefined ? Buffer.alloc(0) : buffer(stream);
}
