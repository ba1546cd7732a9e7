import { deleteWrite, updateStatusWrite, updateWrite } from '@navarch/client';
import {
  controllerOf,
  builtinKinds,
  configMap,
  deployment as deploymentKind,
  endpointSlice,
  namespace as namespaceKind,
  node as nodeKind,
  pod as podKind,
  replicaSet as replicaSetKind,
  service as serviceKind,
} from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import { ConfigMap, DeleteRequest_Propagation, type Deployment, Namespace, type Pod } from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { addOwnerIndexes, readCaches } from './caches.ts';
import { Configurations } from './deployment/configurations.ts';
import { deploymentController } from './deployment/controller.ts';
import { endpointSliceController } from './endpoint-slice/controller.ts';
import { garbageController } from './garbage/controller.ts';
import { storedKinds } from './informers.ts';
import { loadBalancerController } from './load-balancer/controller.ts';
import { namespaceController } from './namespace/controller.ts';
import { podCidrController } from './node/pod-cidr-controller.ts';
import { deployment, node, service } from './objects.fixture.ts';
import { replicaSetController } from './replica-set/controller.ts';
import { timestamp } from './time.ts';
import { World } from './world.fixture.ts';

// On a busy machine.
vi.setConfig({ testTimeout: 30_000 });

let world: World;
let agent: NodeJS.Timeout;

beforeEach(() => {
  world = new World();
  const hands = { client: world.client, events: world.recorder };
  const caches = readCaches(world);
  addOwnerIndexes(world, storedKinds);
  const configurations = new Configurations(world, caches);
  void configurations.lead(world.term());
  for (const controller of [
    deploymentController(caches, hands, configurations),
    replicaSetController(caches, hands),
    endpointSliceController(caches, hands),
    loadBalancerController(caches, hands),
    podCidrController(caches, hands, '10.244.0.0/16'),
    garbageController(world, builtinKinds, storedKinds, hands),
    namespaceController(world, storedKinds, hands),
  ]) {
    world.run(controller);
  }
  // What scheduler and node-agent do: Pods come up, and go when asked.
  let next = 1;
  agent = setInterval(() => {
    for (const pod of world.all(podKind)) {
      const { metadata, status } = pod;
      if (metadata.deletionTimestamp !== '')
        void world.write(deleteWrite(podKind, metadata, { gracePeriodSeconds: 0 }));
      else if (status.phase !== 'Running')
        void world.write(updateStatusWrite(podKind, running(pod, `10.244.0.${next++}`)));
    }
  }, 5);
});
afterEach(async () => {
  clearInterval(agent);
  await world.end();
});

function running(pod: Live<Pod>, podIp: string): Pod {
  const ready = {
    type: 'Ready',
    status: 'True',
    lastTransitionTime: timestamp(Date.now()),
    lastUpdateTime: '',
    reason: '',
    message: '',
    observedGeneration: 0,
  };
  return { ...pod, status: { ...pod.status, phase: 'Running', podIp, conditions: [ready] } };
}

const create = (kind: Parameters<typeof deleteWrite>[0], object: object) =>
  world.write({ type: 'create', kind, object });
const images = () => world.all(podKind).map(({ spec }) => spec.containers[0]?.image);
const ready = () =>
  world.all(podKind).filter(({ status, metadata }) => status.phase === 'Running' && metadata.deletionTimestamp === '')
    .length;
const web = () => world.all(deploymentKind)[0];
const endpoints = () =>
  world.all(endpointSlice).flatMap((slice) => slice.endpoints.filter(({ conditions }) => conditions?.ready));
const settled = (replicas: number) =>
  waitFor(
    () =>
      ready() === replicas &&
      world.all(podKind).length === replicas &&
      web()?.status.availableReplicas === replicas &&
      web()?.status.updatedReplicas === replicas,
    { what: `${replicas} Pods`, timeoutMs: 15_000 },
  );
const change = async (edit: (spec: NonNullable<Deployment['spec']>) => void) => {
  for (;;) {
    const present = web();
    if (present === undefined) throw new Error('there is no Deployment');
    const spec = structuredClone(present.spec);
    edit(spec);
    const done = await world.write(updateWrite(deploymentKind, { ...present, spec })).then(
      () => true,
      () => false,
    );
    if (done) return;
  }
};

describe('from a Deployment and a Service', () => {
  beforeEach(async () => {
    await create(serviceKind, service({ spec: { type: 'LoadBalancer' } }));
    await create(deploymentKind, deployment({ spec: { replicas: 30 } }));
    await settled(30);
  });

  test('come exactly as many Pods as wanted, each made once, and endpoints for all', async () => {
    expect(world.log.filter((line) => line.startsWith('create pod'))).toHaveLength(30);
    await waitFor(() => endpoints().length === 30);
  });

  test('nothing more is written once all is as wanted', async () => {
    await waitFor(() => endpoints().length === 30);
    const { length } = world.log;
    // A nudge to every controller: an annotation that means nothing.
    const present = web();
    await world.write({
      type: 'update',
      kind: deploymentKind,
      object: {
        ...present,
        metadata: { ...present?.metadata, annotations: { ...present?.metadata.annotations, 'example.com/x': 'y' } },
      } as Deployment,
    });
    await waitFor(() => world.all(replicaSetKind)[0]?.metadata.annotations['example.com/x'] === 'y');
    await waitFor(() => world.revision >= BigInt(world.all(replicaSetKind)[0]?.metadata.resourceVersion ?? 0));
    expect(world.log.slice(length).filter((line) => !line.startsWith('update '))).toEqual([]);
    expect(world.log.slice(length).filter((line) => line.startsWith('update pod'))).toEqual([]);
  });

  test('a new image replaces every Pod without ever serving less than it may', async () => {
    let fewest = 30;
    const watch = setInterval(() => (fewest = Math.min(fewest, ready())), 1);
    await change((spec) => {
      const [container] = spec.template?.spec?.containers ?? [];
      if (container !== undefined) container.image = 'nginx:2';
    });
    await waitFor(() => images().every((image) => image === 'nginx:2') && ready() === 30, { timeoutMs: 15_000 });
    clearInterval(watch);
    // 25 % of 30, rounded down.
    expect(fewest).toBeGreaterThanOrEqual(23);
    await settled(30);
  });

  test('a Pod that is deleted is replaced, and its endpoint with it', async () => {
    const [victim] = world.all(podKind);
    await world.write(deleteWrite(podKind, victim?.metadata ?? { name: '' }));
    await settled(30);
    const ips = world.all(podKind).map(({ status }) => status.podIp);
    await waitFor(() => endpoints().length === 30 && endpoints().every(({ addresses: [ip = ''] }) => ips.includes(ip)));
  });

  test('deleting the Deployment takes everything along that it made', async () => {
    await world.write(deleteWrite(deploymentKind, web()?.metadata ?? { name: '' }));
    await waitFor(() => world.all(podKind).length === 0 && world.all(replicaSetKind).length === 0, {
      timeoutMs: 15_000,
    });
    await waitFor(() => world.all(endpointSlice).length === 0);
  });

  test('deleting it in the foreground lets it go last', async () => {
    const gone: string[] = [];
    world.onChange(deploymentKind, ({ type }) => type === 'deleted' && gone.push('deployment'));
    world.onChange(podKind, ({ type }) => type === 'deleted' && gone.push('pod'));
    await world.write(
      deleteWrite(deploymentKind, web()?.metadata ?? { name: '' }, {
        propagation: DeleteRequest_Propagation.FOREGROUND,
      }),
    );
    await waitFor(() => gone.includes('deployment'), { timeoutMs: 15_000 });
    expect(gone).toHaveLength(31);
    expect(gone.at(-1)).toBe('deployment');
  });
});

test('Nodes get ranges of their own, and load balancers their addresses', async () => {
  await create(serviceKind, service({ spec: { type: 'LoadBalancer' } }));
  for (const name of ['a', 'b', 'c']) await create(nodeKind, node(name));
  await waitFor(() => world.all(nodeKind).every(({ spec }) => spec.podCidr !== ''));
  expect(new Set(world.all(nodeKind).map(({ spec }) => spec.podCidr)).size).toBe(3);
  const [first] = world.all(nodeKind);
  const status = {
    ...first?.status,
    conditions: [{ type: 'Ready', status: 'True' }],
    addresses: [{ type: 'InternalIP', address: '192.0.2.5' }],
  };
  await world.write({
    type: 'updateStatus',
    kind: nodeKind,
    object: { ...first, status } as unknown as NonNullable<typeof first>,
  });
  await waitFor(() => world.all(serviceKind)[0]?.status.loadBalancer?.ingress[0]?.ip === '192.0.2.5');
});

test('a namespace that is deleted is emptied of every kind, then goes', async () => {
  await create(
    namespaceKind,
    Namespace.fromPartial({ metadata: { name: 'shop' }, spec: { finalizers: ['kubernetes'] } }),
  );
  await create(configMap, ConfigMap.fromPartial({ metadata: { name: 'c', namespace: 'shop' } }));
  await create(deploymentKind, deployment({ metadata: { namespace: 'shop' } }));
  await settled(3);
  await world.write(deleteWrite(namespaceKind, { name: 'shop' }));
  await waitFor(() => world.all(namespaceKind).length === 0, { timeoutMs: 15_000 });
  expect([...world.all(podKind), ...world.all(configMap), ...world.all(replicaSetKind)].map(keyOf)).toEqual([]);
});

test('two leaders that overlap make no Pod twice', async () => {
  // The second one's controllers look at the same stale caches; only names and versions keep them apart.
  const caches = readCaches(world);
  world.run(replicaSetController(caches, { client: world.client, events: world.recorder }));
  world.lagMs = 20;
  await create(deploymentKind, deployment({ spec: { replicas: 12 } }));
  await settled(12);
  expect(world.log.filter((line) => line.startsWith('create pod'))).toHaveLength(12);
  expect(world.all(podKind).every((pod) => controllerOf(pod)?.kind === 'ReplicaSet')).toBe(true);
});
