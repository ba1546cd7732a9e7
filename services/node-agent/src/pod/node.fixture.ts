import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Change, ClientWrite, InformerSet, WriteOutcome } from '@navarch/client';
import { createLogger, systemClock } from '@navarch/kit';
import { ApiError, keyOf, type KubeObject, keyString, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { FakeRuntime, type FakeRuntimeOptions } from '../runtime/fake-runtime.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ApiWriter } from './api-writer.ts';
import type { ConfigData } from './config-source.ts';
import { ImagePuller } from './image-puller.ts';
import { PodManager } from './pod-manager.ts';
import { StartLimit } from './start-limit.ts';
import { Volumes } from './volumes.ts';

/** Enough of an api for one node: it keeps Pods, takes the agent's writes, and tells the agent of each change. */
export class FakeApi {
  readonly pods = new Map<string, Live<Pod>>();
  /** While true nothing can be written. */
  down = false;
  readonly writes: ClientWrite[] = [];
  #revision = 1;
  #handler: (change: Change<Pod>) => void = () => {};
  #synced = Promise.withResolvers<void>();

  put(pod: Live<Pod>): Live<Pod> {
    const next = { ...pod, metadata: { ...pod.metadata, resourceVersion: String(++this.#revision) } };
    const previous = this.pods.get(keyOf(pod));
    this.pods.set(keyOf(pod), next);
    this.#handler(previous ? { type: 'modified', object: next, previous } : { type: 'added', object: next });
    return next;
  }

  /** As the api does: the node's agent removes the Pod once it has ended. */
  askToGo(name: string, graceSeconds: number): void {
    const pod = this.get(name);
    const deletionTimestamp = new Date().toISOString();
    this.put({ ...pod, metadata: { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds: graceSeconds } });
  }

  /** Gone from the api, without a word to anybody. */
  remove(name: string): void {
    const pod = this.get(name);
    this.pods.delete(keyOf(pod));
    this.#handler({ type: 'deleted', object: pod });
  }

  get(name: string): Live<Pod> {
    const pod = this.pods.get(`default/${name}`);
    if (!pod) throw new Error(`no Pod ${name}`);
    return pod;
  }

  /** The next agent doesn't know what is wanted until `sync`. */
  desync(): void {
    this.#synced = Promise.withResolvers<void>();
  }

  sync(): void {
    this.#synced.resolve();
  }

  async transact(writes: readonly ClientWrite[]): Promise<readonly WriteOutcome[]> {
    if (this.down) throw new ApiError('Unavailable', 'the api is down');
    return writes.map((write): WriteOutcome => {
      this.writes.push(write);
      if (write.type === 'updateStatus') return this.#updateStatus(write.object);
      if (write.type === 'delete') return this.#delete(write.key.name, write.options?.uid);
      return refused('BadRequest');
    });
  }

  get informers(): InformerSet {
    const lister = {
      get: (key: { namespace: string; name: string } | string) =>
        this.pods.get(typeof key === 'string' ? key : keyString(key)),
      list: () => [...this.pods.values()],
      byIndex: () => [],
      addIndex: () => {},
    };
    // The agent's Pods ask for one kind alone; this set holds no other.
    return {
      lister: () => lister,
      onChange: (_kind: unknown, handler: (change: Change<Pod>) => void) => (this.#handler = handler),
      revision: 1n,
      source: 'watch',
      synced: () => this.#synced.promise,
      reached: async () => {},
      run: async () => {},
    } as unknown as InformerSet;
  }

  #updateStatus(object: KubeObject): WriteOutcome {
    // The writer only ever sends Pods here.
    const pod = object as Live<Pod>;
    const present = this.pods.get(keyOf(pod));
    if (!present) return refused('NotFound');
    if (present.metadata.uid !== pod.metadata.uid) return refused('Conflict');
    const next = this.put({ ...present, status: pod.status });
    return { ok: true, object: next, revision: BigInt(next.metadata.resourceVersion) };
  }

  #delete(name: string, uid: string | undefined): WriteOutcome {
    const present = this.pods.get(`default/${name}`);
    if (!present) return refused('NotFound');
    if (uid !== present.metadata.uid) return refused('Conflict');
    this.remove(name);
    return { ok: true, object: present, revision: 0n };
  }
}

function refused(reason: string): WriteOutcome {
  return { ok: false, error: { reason, message: reason, fields: [] } };
}

export interface TestNode<R extends Runtime = FakeRuntime> {
  readonly api: FakeApi;
  readonly runtime: R;
  readonly dir: string;
  readonly events: { readonly reason: string; readonly message: string }[];
  readonly configMaps: Map<string, ConfigData>;
  readonly secrets: Map<string, ConfigData>;
  /** The agent ends and another takes its place; what runs stays. */
  restartAgent(): Promise<void>;
  stop(): Promise<void>;
}

/** A node with a fake runtime. */
export function startNode(options: FakeRuntimeOptions = {}): Promise<TestNode> {
  return startNodeOn(new FakeRuntime({ images: ['busybox:1'], ...options }));
}

/** A node whose agent looks after the Pods of `api`. */
export async function startNodeOn<R extends Runtime>(runtime: R): Promise<TestNode<R>> {
  const dir = await mkdtemp(join(tmpdir(), 'nv-node-'));
  const api = new FakeApi();
  api.sync();
  const events: { reason: string; message: string }[] = [];
  const configMaps = new Map<string, ConfigData>();
  const secrets = new Map<string, ConfigData>();
  let agent = await startAgent();

  async function startAgent(): Promise<{ stop(): Promise<void> }> {
    const abort = new AbortController();
    const logger = createLogger({ name: 'test', level: 'silent' });
    const clock = systemClock;
    const podRoot = join(dir, 'pods');
    const config = {
      configMap: async (_namespace: string, name: string) => configMaps.get(name),
      secret: async (_namespace: string, name: string) => secrets.get(name),
    };
    const node = {
      nodeName: 'n1',
      nodeIp: '192.0.2.1',
      clusterDns: '10.96.0.10',
      clusterDomain: 'cluster.local',
      logRoot: join(dir, 'logs'),
      memoryBytes: 1 << 30,
      cpuMillis: 2000,
    };
    const context = {
      runtime,
      puller: new ImagePuller(runtime),
      startLimit: new StartLimit(4),
      volumes: new Volumes({
        root: podRoot,
        config,
        claims: { directory: async () => join(dir, 'claim') },
        allocatable: node,
      }),
      config,
      writer: new ApiWriter({ client: api, clock, logger, signal: abort.signal }),
      events: {
        event: (_kind: unknown, _object: unknown, _type: unknown, reason: string, message: string) => {
          events.push({ reason, message });
        },
      },
      node,
      clock,
      logger,
      podRoot,
      networkReady: async () => {},
      endpointRemoved: async () => {},
    };
    const manager = new PodManager(context, api.informers);
    await manager.start(abort.signal);
    for (const pod of api.pods.values()) api.put(pod);
    return {
      stop: async () => {
        abort.abort(new Error('stopped'));
        await manager.stop();
      },
    };
  }

  return {
    api,
    runtime,
    dir,
    events,
    configMaps,
    secrets,
    restartAgent: async () => {
      await agent.stop();
      agent = await startAgent();
    },
    stop: async () => {
      await agent.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
