import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type EtcdServer, freePorts, type NatsServer, startEtcd, startNats, TcpProxy } from '@navarch/testing';
import { root } from '../cluster.ts';
import type { Fault, ProcessFault } from './plan.ts';

/** One api process, and the two ways through which it is talked to. */
interface ApiProcess {
  readonly toEtcd: TcpProxy;
  readonly toClients: TcpProxy;
  readonly env: NodeJS.ProcessEnv;
  process: ChildProcess | undefined;
}

/** Real etcd, NATS and two apis, with networks between them that can be broken. */
export class World implements AsyncDisposable {
  readonly etcd: EtcdServer;
  readonly nats: NatsServer;
  readonly #apis: readonly ApiProcess[];

  private constructor(etcd: EtcdServer, nats: NatsServer, apis: readonly ApiProcess[]) {
    this.etcd = etcd;
    this.nats = nats;
    this.#apis = apis;
  }

  static async start(): Promise<World> {
    const [etcd, nats] = await Promise.all([startEtcd(), startNats()]);
    const apis: ApiProcess[] = [];
    for (let i = 0; i < 2; i++) {
      const [port = 0, metrics = 0] = await freePorts(2);
      const toEtcd = await TcpProxy.start(etcd.endpoint);
      const toClients = await TcpProxy.start(`127.0.0.1:${port}`);
      const env = {
        ...process.env,
        NAVARCH_ETCD: toEtcd.endpoint,
        NAVARCH_NATS: nats.url,
        NAVARCH_LISTEN: `127.0.0.1:${port}`,
        NAVARCH_METRICS: `127.0.0.1:${metrics}`,
        NAVARCH_LOG_LEVEL: 'fatal',
      };
      apis.push({ toEtcd, toClients, env, process: undefined });
    }
    const world = new World(etcd, nats, apis);
    for (let i = 0; i < apis.length; i++) world.#startApi(i);
    return world;
  }

  /** Where clients reach the apis. */
  get addresses(): readonly string[] {
    return this.#apis.map(({ toClients }) => toClients.endpoint);
  }

  /** Does what the fault says; the result undoes it. */
  async inflict(fault: Fault): Promise<() => Promise<void>> {
    if ('whom' in fault) return fault.type === 'kill' ? await this.#kill(fault) : this.#pause(fault);
    const api = this.#api(fault.api);
    const proxy = fault.where === 'etcd' ? api.toEtcd : api.toClients;
    switch (fault.type) {
      case 'cut':
        proxy.cut();
        return async () => {};
      case 'lose':
        void proxy.cutAfter(fault.bytes, 'toClient');
        return async () => {};
      case 'hold':
        proxy.hold();
        return async () => proxy.resume();
      default: // 'refuse'
        proxy.refuse();
        return async () => proxy.accept();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const api of this.#apis) {
      await this.#end(api);
      await Promise.all([api.toEtcd.stop(), api.toClients.stop()]);
    }
    await Promise.all([this.etcd.stop(), this.nats.stop()]);
  }

  async #kill({ whom, api }: ProcessFault): Promise<() => Promise<void>> {
    if (whom === 'api') {
      await this.#end(this.#api(api));
      return async () => this.#startApi(api);
    }
    const server = whom === 'etcd' ? this.etcd : this.nats;
    await server.kill();
    return () => server.start();
  }

  #pause({ whom, api }: ProcessFault): () => Promise<void> {
    const pid = whom === 'api' ? this.#api(api).process?.pid : whom === 'etcd' ? this.etcd.pid : this.nats.pid;
    if (pid === undefined) throw new Error(`${whom} does not run, so it can't be paused`);
    process.kill(pid, 'SIGSTOP');
    return async () => void process.kill(pid, 'SIGCONT');
  }

  #startApi(index: number): void {
    const api = this.#api(index);
    const node = join(root, 'node_modules/.bin/node');
    const program = join(root, 'services/api/dist/main.js');
    api.process = spawn(node, [program], { env: api.env, stdio: ['ignore', 'ignore', 'inherit'] });
  }

  async #end(api: ApiProcess): Promise<void> {
    const child = api.process;
    api.process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  #api(index: number): ApiProcess {
    const api = this.#apis[index];
    if (api === undefined) throw new Error(`there is no api ${index}`);
    return api;
  }
}
