import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Lab, type LabNode } from './lab.fixture.ts';
import type { World } from './node.fixture.ts';

const lab = new Lab();
const podName = ['a', 'b', 'c'] as const;
let near: LabNode;
let far: LabNode;
const pods: Record<string, { ip: string; space: string; node: string }> = {};

const nodeObject = (name: string, ip: string, podCIDR: string) => ({
  metadata: { name },
  spec: { podCIDR },
  status: { addresses: [{ type: 'InternalIP', address: ip }] },
});
const nodes = [nodeObject('n1', '192.0.2.11', '10.244.0.0/24'), nodeObject('n2', '192.0.2.12', '10.244.1.0/24')];
const service = (name: string, clusterIP: string, more: object = {}) => ({
  metadata: { name, namespace: 'default' },
  spec: { clusterIP, type: 'ClusterIP', ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...more },
});
const services = [
  service('web', '10.96.0.20', {
    type: 'LoadBalancer',
    ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30080 }],
  }),
  service('sticky', '10.96.0.21', { sessionAffinity: 'ClientIP' }),
  service('empty', '10.96.0.22', { type: 'NodePort', ports: [{ port: 80, protocol: 'TCP', nodePort: 30081 }] }),
  service('udp', '10.96.0.23', { ports: [{ port: 53, protocol: 'UDP' }] }),
  service('self', '10.96.0.24'),
  service('headless', 'None'),
  service('guarded', '10.96.0.25', { type: 'LoadBalancer', ports: [{ name: 'http', port: 7400, protocol: 'TCP' }] }),
];

const endpoint = (name: string, conditions: object = { ready: true }) => ({
  addresses: [pods[name]?.ip],
  conditions,
  nodeName: pods[name]?.node,
});
const slice = (of: string, endpoints: object[], port: object = { name: 'http', port: 8080, protocol: 'TCP' }) => ({
  metadata: { name: `${of}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': of } },
  addressType: 'IPv4',
  endpoints,
  ports: [port],
});
const podObject = (name: string, metadata: object = {}) => ({
  metadata: { name, namespace: 'default', ...metadata },
  spec: {
    nodeName: pods[name]?.node,
    containers: [{ name: 'c', image: 'i', ports: name === 'a' ? [{ containerPort: 8080, hostPort: 9090 }] : [] }],
  },
  status: { phase: 'Running', podIP: pods[name]?.ip },
});
const world = (change: Partial<World> = {}): World => ({
  nodes,
  services,
  endpointSlices: [
    slice(
      'web',
      podName.map((name) => endpoint(name)),
    ),
    slice(
      'sticky',
      podName.map((name) => endpoint(name)),
    ),
    slice('udp', [endpoint('a'), endpoint('c')], { name: '', port: 5353, protocol: 'UDP' }),
    slice('self', [endpoint('a')]),
    slice(
      'headless',
      podName.map((name) => endpoint(name)),
    ),
    slice('guarded', [endpoint('a')]),
  ],
  pods: podName.map((name) => podObject(name)),
  ...change,
});
const show = (change: Partial<World> = {}) => Promise.all([near.show(world(change)), far.show(world(change))]);
const client = () => pods.b?.space ?? '';

beforeAll(async () => {
  near = lab.node('n1', '192.0.2.11');
  far = lab.node('n2', '192.0.2.12');
  const empty = { nodes, services: [], endpointSlices: [], pods: [] };
  await Promise.all([near.show(empty), far.show(empty)]);
  for (const name of podName) {
    const node = name === 'c' ? far : near;
    pods[name] = { ...(await node.pod(name)), node: node.name };
  }
  await show();
});
afterAll(() => lab.end());

describe('Pods reach one another', () => {
  test.each(['a', 'c'])('Pod %s by its own address, seen with the asker’s own', async (name) => {
    expect(await lab.ask(client(), `http://${pods[name]?.ip}:8080/`)).toEqual({
      pods: [name],
      seenAs: [pods.b?.ip],
      failed: [],
    });
  });

  test('and the world outside, which sees the node', async () => {
    const child = lab.spawn(lab.outside, new URL('pod.fixture.ts', import.meta.url).pathname, ['outside', '8088']);
    await expect
      .poll(() => lab.ask(client(), `http://${lab.outsideIp}:8088/`), { timeout: 10_000 })
      .toEqual({ pods: ['outside'], seenAs: ['192.0.2.11'], failed: [] });
    child.kill();
  });
});

describe('a Service answers', () => {
  const everyone = { pods: [...podName], failed: [] };

  test('from a Pod, by its cluster address, spread over all endpoints', async () => {
    expect(await lab.ask(client(), 'http://10.96.0.20/', 40)).toMatchObject(everyone);
  });

  test('from the node itself', async () => {
    expect(await lab.ask(near.space, 'http://10.96.0.20/', 40)).toMatchObject(everyone);
  });

  test.each(['http://192.0.2.11/', 'http://192.0.2.12/', 'http://192.0.2.11:30080/'])(
    'from outside at %s',
    async (url) => {
      expect(await lab.ask(lab.outside, url, 40)).toMatchObject(everyone);
    },
  );

  test.each(['http://127.0.0.1/', 'http://localhost:30080/', 'http://192.0.2.11/'])(
    'on its node at %s',
    async (url) => {
      expect(await lab.ask(near.space, url, 40)).toMatchObject(everyone);
    },
  );

  test('from a Pod by the node’s address', async () => {
    expect(await lab.ask(client(), 'http://192.0.2.11:30080/', 40)).toMatchObject(everyone);
  });

  test('the very Pod that serves it', async () => {
    expect(await lab.ask(pods.a?.space ?? '', 'http://10.96.0.24/', 3)).toMatchObject({ pods: ['a'], failed: [] });
  });

  test('one client always by the same endpoint where that is wanted', async () => {
    const { pods: seen, failed } = await lab.ask(client(), 'http://10.96.0.21/', 20);
    expect({ count: seen.length, failed }).toEqual({ count: 1, failed: [] });
  });

  test('by UDP', async () => {
    const asked = await lab.eval(
      client(),
      `const s = require('node:dgram').createSocket('udp4'); return await new Promise((resolve, reject) => { setTimeout(() => reject(new Error('silence')), 3000); s.on('message', (m) => resolve(m)); s.send('x', 53, '10.96.0.23'); });`,
    );
    expect(asked).toMatch(/^pod [ac]$/);
  });
});

describe('a name resolves in a Pod', () => {
  const resolve = (name: string, method = 'resolve4') =>
    lab.eval(
      client(),
      `const r = new (require('node:dns').promises.Resolver)(); r.setServers(['10.96.0.10']); return JSON.stringify(await r.${method}('${name}'));`,
    );

  test('of a Service', async () => {
    expect(await resolve('web.default.svc.cluster.local')).toBe('["10.96.0.20"]');
  });

  test('of a headless Service to its Pods', async () => {
    const addresses = podName.map((name) => pods[name]?.ip);
    expect(new Set(JSON.parse(await resolve('headless.default.svc.cluster.local')))).toEqual(new Set(addresses));
  });

  test('back from an address', async () => {
    expect(await resolve('10.96.0.20', 'reverse')).toBe('["web.default.svc.cluster.local"]');
  });

  test('and nobody outside is answered', async () => {
    lab.run(lab.outside, 'ip', 'route', 'replace', '10.96.0.10/32', 'via', '192.0.2.11');
    const body = `const r = new (require('node:dns').promises.Resolver)({ timeout: 500, tries: 1 }); r.setServers(['10.96.0.10']); return await r.resolve4('web.default.svc.cluster.local');`;
    expect(await lab.eval(lab.outside, body)).toBe('failed: ETIMEOUT');
  });

  test('and one that is missing is told so at once', async () => {
    expect(await resolve('nothing.default.svc.cluster.local')).toBe('failed: ENOTFOUND');
  });
});

describe('a port of the node', () => {
  test('that a Pod asked for leads to it', async () => {
    expect(await lab.ask(lab.outside, 'http://192.0.2.11:9090/')).toMatchObject({ pods: ['a'], failed: [] });
  });

  test('that belongs to the control plane is nobody else’s', async () => {
    expect((await lab.ask(lab.outside, 'http://192.0.2.11:7400/')).failed).toEqual(['failed ECONNREFUSED']);
  });

  test('at 127.0.0.1 is not reached by a Pod that sends its own 127.0.0.1 our way', async () => {
    lab.spawn(near.space, new URL('pod.fixture.ts', import.meta.url).pathname, ['local', '7999']);
    const local = { pods: ['local'], failed: [] };
    await expect.poll(() => lab.ask(near.space, 'http://127.0.0.1:7999/'), { timeout: 10_000 }).toMatchObject(local);
    const { space } = await near.pod('d');
    lab.run(space, 'ip', 'address', 'del', '127.0.0.1/8', 'dev', 'lo');
    lab.run(space, 'ip', 'route', 'add', '127.0.0.1/32', 'via', '10.244.0.1');
    lab.run(space, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet');
    expect(await lab.ask(space, 'http://10.244.0.1:7999/')).toMatchObject(local);
    expect(await lab.ask(space, 'http://127.0.0.1:7999/')).toMatchObject({ pods: [], failed: ['failed timeout'] });
  });
});

describe('a Service without endpoints refuses at once', () => {
  test.each([
    { name: 'a Pod', from: () => client(), url: 'http://10.96.0.22/' },
    { name: 'the node', from: () => near.space, url: 'http://10.96.0.22/' },
    { name: 'outside', from: () => lab.outside, url: 'http://192.0.2.11:30081/' },
  ])('$name', async ({ from, url }) => {
    expect((await lab.ask(from(), url)).failed).toEqual(['failed ECONNREFUSED']);
  });
});

describe('endpoints that go', () => {
  test('get nothing new, and nobody loses a request', async () => {
    const asking = lab.ask(client(), 'http://10.96.0.20/', 400);
    await show({
      endpointSlices: [
        slice('web', [endpoint('a'), endpoint('b', { ready: false, serving: true, terminating: true }), endpoint('c')]),
      ],
    });
    expect(await lab.ask(client(), 'http://10.96.0.20/', 40)).toMatchObject({ pods: ['a', 'c'], failed: [] });
    expect((await asking).failed).toEqual([]);
    await show();
  });

  test('still serve when there is no other', async () => {
    await show({ endpointSlices: [slice('web', [endpoint('a', { ready: false, serving: true, terminating: true })])] });
    expect(await lab.ask(client(), 'http://10.96.0.20/', 5)).toMatchObject({ pods: ['a'], failed: [] });
    await show();
  });

  test('of this node are left out as soon as their Pod is being deleted, before the slices say so', async () => {
    const ending = podObject('a', { deletionTimestamp: '2026-01-01T00:00:00Z' });
    await show({ pods: [ending, podObject('b'), podObject('c')] });
    expect(await lab.ask(near.space, 'http://127.0.0.1/', 40)).toMatchObject({ pods: ['b', 'c'], failed: [] });
    await show();
  });

  test('are waited for, but not for ever', async () => {
    const ending = podObject('b', { uid: 'b', deletionTimestamp: '2026-01-01T00:00:00Z' });
    const target = { ...endpoint('b'), targetRef: { kind: 'Pod', uid: 'b' } };
    const terminating = { ready: false, serving: true, terminating: true };
    await show({ pods: [ending], endpointSlices: [slice('web', [target])] });
    const waited = await near.removed('default/b', 700);
    expect(waited).toBeGreaterThanOrEqual(690);
    expect(waited).toBeLessThan(2_500);
    await show({ pods: [ending], endpointSlices: [slice('web', [{ ...target, conditions: terminating }])] });
    expect(await near.removed('default/b', 10_000)).toBeLessThan(2_500);
    await show({ endpointSlices: [] });
    expect(await near.removed('default/b', 10_000)).toBeLessThan(100);
    await show();
  });
});

describe('the rules', () => {
  test('come back when somebody flushes them', async () => {
    near.run('nft', 'flush', 'ruleset');
    await near.show(world({ services: services.slice(0, 3) }));
    expect(await lab.ask(near.space, 'http://127.0.0.1/', 5)).toMatchObject({ failed: [] });
    await show();
  });

  test('are changed in place: a packet under way never finds another entrance', async () => {
    type Listing = { nftables: { chain?: { name: string; handle: number } }[] };
    const handles = () => {
      const { nftables } = JSON.parse(near.run('nft', '-j', 'list', 'table', 'ip', 'navarch')) as Listing;
      return new Map(
        nftables.flatMap(({ chain }) => (chain === undefined ? [] : [[chain.name, chain.handle] as const])),
      );
    };
    const before = handles();
    await near.show(world({ endpointSlices: [slice('web', [endpoint('b')]), slice('udp', [])] }));
    const after = handles();
    const lost = [...before.keys()].filter((name) => !after.has(name));
    expect(lost.length).toBeGreaterThan(0); // the chains of Services that lost their endpoints
    expect([...after].filter(([name, handle]) => before.get(name) !== handle)).toEqual([]);
    expect(await lab.ask(near.space, 'http://127.0.0.1/', 5)).toEqual({
      pods: ['b'],
      seenAs: [expect.any(String)],
      failed: [],
    });
    await show();
  });

  test('are in place soon after a change', async () => {
    await near.show(world({ services: services.slice(0, 1) }));
    expect(await near.show(world())).toBeLessThan(1_000);
  });

  test('of a lone node need no overlay', async () => {
    await near.show(world({ nodes: nodes.slice(0, 1) }));
    expect(near.run('ip', '-br', 'link')).not.toContain('navx0');
    await near.show(world());
    expect(near.run('ip', '-br', 'link')).toContain('navx0');
    expect(await lab.ask(client(), `http://${pods.c?.ip}:8080/`)).toMatchObject({ pods: ['c'] });
  });
});
