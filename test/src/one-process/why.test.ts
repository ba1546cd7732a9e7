import { configMap, namespace, pod as podKind } from '@navarch/kinds';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { deployment, untilExactly } from './workloads.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 2 });
});
afterAll(() => cluster.stop());

const why = async (...target: string[]) => {
  const { code, out, err } = await cluster.navctl('why', ...target);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out.split('\n');
};
const text = (pattern: RegExp) => expect.stringMatching(pattern) as string;

test('what goes with a Deployment is told before it goes, and what a finalizer holds up while it does', async () => {
  const web = { name: 'web', replicas: 12, image: 'web:1' };
  await cluster.apply(deployment(web));
  await untilExactly(cluster, [web]);
  const before = await why('deployment/web');
  expect(before.slice(0, 4)).toEqual([
    'Nobody has asked deployment.apps/web to go. If somebody did, nothing would keep it.',
    '',
    'With it would go:',
    text(/^ {2}replicaset\.apps\/web-\S+ +blocks its owner/),
  ]);
  expect(before.slice(4, -2)).toEqual(Array.from({ length: 10 }, () => text(/^ {4}pod\/web-\S+ +blocks its owner/)));
  expect(before.at(-2)).toBe('  … and 2 more pods');

  const [held] = (await cluster.client.list(podKind)).items;
  const name = held?.metadata.name ?? '';
  await cluster.navctl('patch', 'pod', name, '-p', '{"metadata":{"finalizers":["x.io/hold"]}}');
  await cluster.navctl('delete', 'deployment', 'web', '--cascade=foreground', '--wait=false');
  await cluster.time.until('one Pod to be left', async () => (await cluster.client.list(podKind)).items.length === 1);
  const during = await why('deployment/web');
  expect(during.slice(0, 4)).toEqual([
    text(/^deployment\.apps\/web was asked to go \d+s ago, and waits for:$/),
    text(/^ {2}- the finalizer foregroundDeletion \(for \d+s\)$/),
    text(/^ {6}the garbage collector: leads as controller-manager-\d, which renewed its lease \d+s ago$/),
    '      waits for 1 dependent that blocks it',
  ]);
  expect(during.filter((line) => line.includes('x.io/hold'))).toEqual([
    text(new RegExp(`^ {4}pod/${name} .* going for \\d+s, waits for the finalizer x.io/hold \\(nobody here knows`)),
  ]);
  const pod = await why('pod', name);
  const patch = /-p '(.*)'/.exec(pod.join('\n'))?.[1] ?? '';
  await cluster.navctl('patch', 'pod', name, '--type=json', '-p', patch);
  await untilExactly(cluster, []);
});

test('a namespace says what remains in it', async () => {
  await cluster.navctl('create', 'namespace', 'shop');
  const manifest = (name: string, finalizers: string[]) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'shop', finalizers },
  });
  await cluster.apply(manifest('held', ['x.io/hold']), manifest('free', []));
  await cluster.navctl('delete', 'namespace', 'shop', '--wait=false');
  await cluster.time.until('the rest to go', async () => {
    return (await cluster.client.list(configMap, { namespace: 'shop' })).items.length === 1;
  });
  const lines = await why('ns/shop');
  expect(lines).toEqual([
    text(/^namespace\/shop was asked to go \d+s ago, and waits for:$/),
    text(/^ {2}- the finalizer kubernetes/),
    text(/^ {6}the namespace controller: leads as/),
    '      waits for 1 object in it to go',
    '',
    'In it:',
    '  1 configmaps',
    text(/^ {4}configmap\/held +going for \d+s, waits for the finalizer x.io\/hold/),
    '',
  ]);
  await cluster.navctl('patch', 'cm', 'held', '-n', 'shop', '-p', '{"metadata":{"finalizers":null}}', '--type=merge');
  await cluster.time.until('the namespace to go', async () => {
    return (await cluster.client.list(namespace)).items.every(({ metadata }) => metadata.name !== 'shop');
  });
});

test('a Pod on a node that is silent says so, and how to be rid of it', async () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'stuck' },
    spec: { nodeName: 'n2', containers: [{ name: 'c', image: 'stuck:1' }] },
  };
  await cluster.apply(pod);
  await cluster.time.until('it to run', async () => {
    return (await cluster.client.get(podKind, { namespace: 'default', name: 'stuck' })).status.phase === 'Running';
  });
  cluster.nodes[1]?.cutOff();
  await cluster.time.until('the silence to be noticed', async () =>
    (await cluster.navctl('get', 'nodes')).out.includes('NotReady'),
  );
  await cluster.navctl('delete', 'pod', 'stuck', '--wait=false');
  expect((await why('pod/stuck')).slice(0, -1)).toEqual([
    text(/^pod\/stuck was asked to go \d+s ago, and waits for:$/),
    text(/^ {2}- its grace period \(for \d+s, \d+s left\)$/),
    text(/^ {6}the agent of node n2: the node has not been Ready for \d+s \(NodeStatusUnknown: /),
    '      waits for its containers to end, within 30 s',
    text(/^ {6}navctl delete pod\/stuck -n default --force removes it at once/),
  ]);
  expect(await cluster.navctl('delete', 'pod/stuck', '-n', 'default', '--force')).toMatchObject({ code: 0 });
  cluster.nodes[1]?.reconnect();
  await untilExactly(cluster, []);
});
