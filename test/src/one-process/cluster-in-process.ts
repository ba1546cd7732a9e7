import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Api } from '@navarch/api';
import { MemoryHub } from '@navarch/bus';
import { run } from '@navarch/cli';
import { type ApiClient, createClient } from '@navarch/client';
import { controllerManager } from '@navarch/controller-manager';
import { type Address, createLogger, createMetrics, formatAddress, type LogLevel } from '@navarch/kit';
import { defaultProfiles, schedulerService, type RebalancingPolicy } from '@navarch/scheduler';
import { MemoryStore } from '@navarch/store';
import { TcpProxy } from '@navarch/testing';
import { FakeNode } from './fake-node.ts';

import { SimulatedProcess } from './simulated-process.ts';
import { connectStore, type StoreLine } from './store-line.ts';
import { VirtualTime } from './virtual-time.ts';

export interface ClusterOptions {
  readonly nodes: number;
  /** For how long Pods that don't say so themselves stay on a node that fails. Default 60. */
  readonly tolerationSeconds?: number;
  /** Whether Pods are moved once they have a node. Default: never. */
  readonly rebalancing?: RebalancingPolicy;
  /** Default silent. */
  readonly logLevel?: LogLevel;
}

/** What a shell would see. */
export interface NavctlResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export type Leader = 'scheduler' | 'controller-manager';

/** A process that may lead, and its wire to the api. */
interface Candidate {
  readonly name: Leader;
  readonly process: SimulatedProcess;
  readonly wire: TcpProxy;
}

/**
 * A whole cluster in this process: the api, the scheduler, the controller-manager and the agents of some nodes as they are
 * in production, with production's timings, over an in-memory store and bus, with containers that are entries in a map.
 * Only gRPC is real, on loopback, and with it the deadlines of calls. All else goes by `time`, which stands still but while
 * a test waits.
 */
export class ClusterInProcess {
  readonly time = new VirtualTime();
  readonly hub = new MemoryHub({ clock: this.time.clock });
  readonly store = new MemoryStore({ clock: this.time.clock });
  readonly nodes: FakeNode[] = [];
  readonly #logLevel: LogLevel;
  readonly #tolerationSeconds: number;
  readonly #rebalancing: RebalancingPolicy | undefined;
  #candidates: readonly Candidate[] = [];
  /** The ends of what was killed: nobody waits for them but the end of the cluster. */
  readonly #ends: Promise<void>[] = [];
  #api: { readonly api: Api; readonly line: StoreLine } | undefined;
  #address: Address = { host: '127.0.0.1', port: 0 };
  #client: ApiClient | undefined;
  #dir = '';
  #processes = 0;

  private constructor({ logLevel = 'silent', tolerationSeconds = 60, rebalancing }: ClusterOptions) {
    this.#rebalancing = rebalancing;
    this.#logLevel = logLevel;
    this.#tolerationSeconds = tolerationSeconds;
  }

  /** Resolves once all nodes are Ready. */
  static async start(options: ClusterOptions): Promise<ClusterInProcess> {
    const cluster = new ClusterInProcess(options);
    await cluster.#start(options.nodes);
    return cluster;
  }

  async #start(nodes: number): Promise<void> {
    this.#dir = await mkdtemp(join(tmpdir(), 'nv-cluster-'));
    await this.startApi();
    this.#client = createClient({ address: this.address, clock: this.time.clock });
    await this.startLeader('scheduler');
    await this.startLeader('controller-manager');
    for (let number = 1; number <= nodes; number++) this.nodes.push(await this.#makeNode(number));
    await this.time.until(`${nodes} nodes to be Ready`, async () => {
      const { code, out } = await this.navctl('get', 'nodes', '--no-headers');
      return code === 0 && out.match(/ Ready /g)?.length === nodes;
    });
  }

  /** Where the api listens. */
  get address(): string {
    return formatAddress(this.#address);
  }

  /** For what navctl can't ask. */
  get client(): ApiClient {
    if (!this.#client) throw new Error('the cluster has not been started');
    return this.#client;
  }

  /** What a user types, while time goes on. */
  async navctl(...args: string[]): Promise<NavctlResult> {
    return this.#navctl(args, '');
  }

  /** The same with something on standard input. */
  async navctlWith(stdin: string, ...args: string[]): Promise<NavctlResult> {
    return this.#navctl(args, stdin);
  }

  /** The same at a terminal: `out` holds all that was drawn, with the escape sequences that move the cursor. */
  async navctlAtTerminal(...args: string[]): Promise<NavctlResult> {
    return this.#navctl(args, '', { terminal: { isTTY: true, columns: 120, rows: 40 } });
  }

  /** The same with variables in the environment. */
  async navctlIn(env: Readonly<Record<string, string>>, ...args: string[]): Promise<NavctlResult> {
    return this.#navctl(args, '', { env });
  }

  /** Throws when navctl refuses. */
  async apply(...manifests: object[]): Promise<void> {
    const { code, err } = await this.#navctl(
      ['apply', '-f', '-'],
      manifests.map((each) => JSON.stringify(each)).join('\n---\n'),
    );
    if (code !== 0) throw new Error(err);
  }

  async startApi(): Promise<void> {
    const line = connectStore(this.store);
    const api = new Api({
      store: line.store,
      bus: this.hub.connect(),
      clock: this.time.clock,
      logger: this.#logger('api'),
      metrics: createMetrics('api', { process: false }),
      listen: this.#address,
      version: 'one-process',
      tolerationSeconds: { notReady: this.#tolerationSeconds, unreachable: this.#tolerationSeconds },
      serviceCidr: { text: '10.96.0.0/16', address: '10.96.0.0', prefixLength: 16, family: 4 },
    });
    await api.start(new AbortController().signal);
    this.#address = api.address;
    this.#api = { api, line };
    await this.time.passes(api.ready(new AbortController().signal));
  }

  /** The api ends without a word, and its lease of the change feed stays taken. Its port is free when the promise resolves. */
  async killApi(): Promise<void> {
    this.#api?.line.sever();
    await this.#api?.api.stop();
    this.#api = undefined;
  }

  /** The store commits the api's next `count` transactions without saying so. */
  loseAnswers(count: number): void {
    this.#api?.line.loseAnswers(count);
  }

  async startLeader(name: Leader): Promise<void> {
    const { clock } = this.time;
    const logger = this.#logger(name);
    const metrics = createMetrics(name, { process: false });
    const identity = `${name}-${++this.#processes}`;
    const wire = await TcpProxy.start(this.address);
    const process = await SimulatedProcess.start({
      name,
      address: wire.endpoint,
      hub: this.hub,
      logger,
      clock,
      parts: (client, bus) => {
        const common = { client, bus, identity, logger, metrics, clock };
        if (name === 'scheduler') {
          const rebalancing = this.#rebalancing;
          return schedulerService({ ...common, profiles: defaultProfiles, ...(rebalancing && { rebalancing }) })
            .components;
        }
        const nodes = { graceMs: 40_000 };
        return controllerManager({ ...common, clusterCidr: '10.244.0.0/16', nodes });
      },
    });
    this.#candidates = [...this.#candidates, { name, process, wire }];
  }

  /** All of that name are killed. Their lease stays behind, and runs out after a while. */
  killLeader(name: Leader): void {
    const killed = this.#candidates.filter((each) => each.name === name);
    this.#candidates = this.#candidates.filter((each) => each.name !== name);
    for (const { process, wire } of killed) this.#ends.push(process.kill().then(() => wire.stop()));
  }

  /**
   * What the leader sends arrives only after `wakeLeaders`, when another may long have taken its place: as if its process
   * had been paused with a write on its way.
   */
  pauseLeader(name: Leader): void {
    for (const each of this.#candidates) if (each.name === name) each.wire.hold();
  }

  wakeLeaders(): void {
    for (const { wire } of this.#candidates) wire.resume();
  }

  async stop(): Promise<void> {
    await this.time.passes(this.#stop());
    await rm(this.#dir, { recursive: true, force: true });
  }

  #makeNode(number: number): Promise<FakeNode> {
    const name = `n${number}`;
    return FakeNode.start({
      name,
      ip: `192.0.2.${number}`,
      podNetwork: `10.244.${number}`,
      address: this.address,
      hub: this.hub,
      dir: join(this.#dir, name),
      logger: this.#logger(name),
      clock: this.time.clock,
    });
  }

  async #stop(): Promise<void> {
    this.hub.start();
    await Promise.all(this.nodes.map((node) => node.stop()));
    this.wakeLeaders();
    await Promise.all(this.#candidates.map(({ process }) => process.stop()));
    await Promise.all([...this.#ends, ...this.#candidates.map(({ wire }) => wire.stop())]);
    this.#client?.close();
    await this.#api?.api.stop();
    await this.store.close();
  }

  async #navctl(
    args: readonly string[],
    stdin: string,
    { terminal = {}, env = {} }: { readonly terminal?: object; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<NavctlResult> {
    const stdout = Object.assign(new PassThrough(), terminal);
    const stderr = new PassThrough();
    const output = Promise.all([text(stdout), text(stderr)]);
    const running = run(args, {
      stdin: Readable.from([Buffer.from(stdin)]),
      stdout,
      stderr,
      env: { ...env, NAVARCH_API: this.address },
      now: () => this.time.clock.now(),
      signal: new AbortController().signal,
    });
    const code = await this.time.passes(running);
    stdout.end();
    stderr.end();
    const [out, err] = await output;
    return { code, out, err };
  }

  #logger(name: string) {
    return createLogger({ name, level: this.#logLevel });
  }
}
