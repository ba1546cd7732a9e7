import { type MemoryBus, MemoryHub, subjectPattern, anyToken } from '@navarch/bus';
import type { Client } from '@navarch/client';
import type { KindDefinition } from '@navarch/kinds';
import { createLogger, systemClock } from '@navarch/kit';
import { ApiError, type KubeObject, type Live } from '@navarch/machinery';
import { type Lease, type Node, NodeHeartbeat, NodeStatus } from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ImageInfo } from '../runtime/runtime.ts';
import { NodeReporter } from './node-reporter.ts';

/** The objects of an api by `plural/name`, and the four calls that the reporter makes. */
class FakeApi {
  readonly objects = new Map<string, KubeObject>();
  writes = 0;

  get client(): Client {
    const key = (kind: KindDefinition, name: string) => `${kind.plural}/${name}`;
    const put = async (kind: KindDefinition, object: KubeObject) => {
      this.writes += 1;
      // As the api serves it: with a status, however empty.
      const empty: object = kind.hasStatus ? { status: NodeStatus.fromPartial({}) } : {};
      const live: KubeObject = { ...empty, ...defined(object) };
      this.objects.set(key(kind, object.metadata?.name ?? ''), live);
      return live;
    };
    const get = async (kind: KindDefinition, { name }: { name: string }) => {
      const object = this.objects.get(key(kind, name));
      if (!object) throw new ApiError('NotFound', `no ${name}`);
      return object;
    };
    // The reporter uses these four methods of the client, for Nodes and Leases.
    return { get, create: put, update: put, updateStatus: put } as unknown as Client;
  }

  get node(): Live<Node> | undefined {
    return this.objects.get('nodes/n1') as Live<Node> | undefined; // only Nodes are kept under nodes/
  }
}

let api: FakeApi;
let hub: MemoryHub;
let bus: MemoryBus;
let reporter: NodeReporter;
let abort: AbortController;
let ready: boolean;
let images: ImageInfo[];
beforeEach(async () => {
  api = new FakeApi();
  hub = new MemoryHub();
  bus = hub.connect();
  abort = new AbortController();
  ready = true;
  images = [];
  const machine = {
    cpuMillis: 2000,
    memoryBytes: 4 * 2 ** 30,
    diskBytes: 100e9,
    machineId: 'm',
    bootId: 'b',
    kernelVersion: '6.1',
    osImage: 'Debian',
    architecture: 'amd64',
  };
  const runtime = { name: 'fake', version: '1' };
  reporter = new NodeReporter({
    client: api.client,
    bus,
    runtime: {
      status: async () => ({ runtimeReady: true, networkReady: ready, message: ready ? '' : 'no network yet' }),
      listImages: async () => images,
    },
    pods: { list: () => [] },
    nodes: { get: () => api.node },
    facts: async () => ({ name: 'n1', ip: '192.0.2.1', machine, runtime, agentVersion: '0.1.0', maxPods: 110 }),
    nodeName: 'n1',
    heartbeatMs: 20,
    clock: systemClock,
    logger: createLogger({ name: 'test', level: 'silent' }),
  });
});
afterEach(async () => {
  abort.abort();
  await reporter.stop();
  await bus.close();
});

const condition = () => api.node?.status?.conditions.find(({ type }) => type === 'Ready');

describe('the reporter of a node', () => {
  test('registers the node, and says when it becomes ready', async () => {
    ready = false;
    await reporter.start(abort.signal);
    await waitFor(() => condition()?.status === 'False');
    expect(condition()?.message).toBe('no network yet');
    ready = true;
    await waitFor(() => condition()?.status === 'True');
    expect(api.node?.metadata.labels['kubernetes.io/hostname']).toBe('n1');
  });

  test('tells which images the node has, once they change', async () => {
    const image = { id: 'i', digests: [], sizeBytes: 5, uid: undefined, username: '' };
    images = [{ ...image, tags: ['docker.io/library/app:1'] }];
    await reporter.start(abort.signal);
    await waitFor(() => api.node?.status?.images[0]?.names[0] === 'docker.io/library/app:1');
    images = [{ ...image, tags: ['docker.io/library/app:2'] }];
    await waitFor(() => api.node?.status?.images[0]?.names[0] === 'docker.io/library/app:2');
  });

  test('sends heartbeats on the bus, and writes nothing more', async () => {
    const beats: NodeHeartbeat[] = [];
    const reading = (async () => {
      for await (const { payload } of bus.subscribe(subjectPattern('heartbeats', anyToken), { signal: abort.signal })) {
        beats.push(NodeHeartbeat.decode(payload));
      }
    })();
    await reporter.start(abort.signal);
    await waitFor(() => condition()?.status === 'True' && beats.length > 0);
    const { writes } = api;
    const seen = beats.length;
    await waitFor(() => beats.length > seen + 3);
    expect(api.writes).toBe(writes);
    expect(beats.at(-1)).toMatchObject({
      nodeName: 'n1',
      ready: true,
      resourceStatus: { nodeId: 'n1', availableCpu: 1900n },
    });
    abort.abort();
    await reading;
  });

  test('renews a Lease while the bus is down', async () => {
    hub.stop();
    await reporter.start(abort.signal);
    const lease = () => api.objects.get('leases/n1') as Lease | undefined; // only Leases are kept under leases/
    const first = await waitFor(() => lease()?.spec?.renewTime);
    await waitFor(() => lease()?.spec?.renewTime !== first);
    expect(lease()).toMatchObject({ metadata: { namespace: 'navarch-node-leases' }, spec: { holderIdentity: 'n1' } });
  });

  test('says again that it is ready when somebody took it for lost', async () => {
    await reporter.start(abort.signal);
    const node = await waitFor(() => (condition()?.status === 'True' ? api.node : undefined));
    const lost = node.status.conditions.map((each) => ({ ...each, status: 'Unknown' }));
    api.objects.set('nodes/n1', { ...node, status: { ...node.status, conditions: lost } } as KubeObject);
    reporter.poke();
    await waitFor(() => condition()?.status === 'True');
  });

  test('makes the Node again when it was deleted', async () => {
    await reporter.start(abort.signal);
    await waitFor(() => condition()?.status === 'True');
    api.objects.clear();
    await waitFor(() => condition()?.status === 'True');
  });
});

function defined(object: KubeObject): KubeObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
