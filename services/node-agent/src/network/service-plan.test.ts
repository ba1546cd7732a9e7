import * as fc from 'fast-check';
import type { Live } from '@navarch/machinery';
import { EndpointSlice, Pod, Service } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { bucketOwners } from './buckets.ts';
import { sendsTo, servicePlan } from './service-plan.ts';

// What the callers give is all that Live promises.
const service = (name: string, spec: Parameters<typeof Service.fromPartial>[0]['spec'] = {}) =>
  Service.fromPartial({
    metadata: { name, namespace: 'default' },
    spec: { clusterIp: '10.96.0.20', ports: [{ port: 80 }], ...spec },
    status: {},
  }) as Live<Service>;
const endpoints = (of: string, ...addresses: { ip: string; conditions?: object }[]) =>
  EndpointSlice.fromPartial({
    metadata: { name: `${of}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': of } },
    endpoints: addresses.map(({ ip, conditions = { ready: true } }) => ({ addresses: [ip], conditions })),
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
  }) as Live<EndpointSlice>;
const pod = (name: string, podIp: string, more: Parameters<typeof Pod.fromPartial>[0] = {}) =>
  Pod.fromPartial({
    ...more,
    metadata: { name, namespace: 'default', ...more.metadata },
    spec: { ...more.spec },
    status: { podIp, ...more.status },
  }) as Live<Pod>;
const plan = (input: Partial<Parameters<typeof servicePlan>[0]>) =>
  servicePlan({
    services: [],
    endpointSlices: [],
    nodeName: 'n1',
    localPods: [],
    reservedPorts: new Set([7400]),
    ...input,
  });

const terminating = { ready: false, serving: true, terminating: true };

describe('where connections go', () => {
  test.each([
    { name: 'ready endpoints', slice: [{ ip: '10.244.0.5' }, { ip: '10.244.0.6' }], to: ['10.244.0.5', '10.244.0.6'] },
    {
      name: 'not to those that are not',
      slice: [{ ip: '10.244.0.5' }, { ip: '10.244.0.6', conditions: { ready: false } }],
      to: ['10.244.0.5'],
    },
    {
      name: 'not to those that end while others are ready',
      slice: [{ ip: '10.244.0.5' }, { ip: '10.244.0.6', conditions: terminating }],
      to: ['10.244.0.5'],
    },
    {
      name: 'to those that end when no other is left',
      slice: [{ ip: '10.244.0.6', conditions: terminating }],
      to: ['10.244.0.6'],
    },
    {
      name: 'nowhere when nobody serves',
      slice: [{ ip: '10.244.0.6', conditions: { ready: false, serving: false, terminating: true } }],
      to: undefined,
    },
  ])('$name', ({ slice, to }) => {
    const ruleset = plan({ services: [service('web')], endpointSlices: [endpoints('web', ...slice)] });
    expect(ruleset.balancers[0]?.targets.map(({ ip }) => ip)).toEqual(to);
    expect(ruleset.clusterIps).toHaveLength(to === undefined ? 0 : 1);
  });

  test('not to a Pod of this node that is being deleted, although the slice still says ready', () => {
    const localPods = [pod('a', '10.244.0.5', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })];
    const both = plan({
      services: [service('web')],
      endpointSlices: [endpoints('web', { ip: '10.244.0.5' }, { ip: '10.244.0.6' })],
      localPods,
    });
    expect(sendsTo(both, '10.244.0.5')).toBe(false);
    const alone = plan({
      services: [service('web')],
      endpointSlices: [endpoints('web', { ip: '10.244.0.5' })],
      localPods,
    });
    expect(sendsTo(alone, '10.244.0.5')).toBe(true);
  });
});

describe('what the node knows of its own Pods counts before a slice says it', () => {
  const target = (ip: string, uid: string, nodeName = 'n1') => ({
    addresses: [ip],
    conditions: { ready: true, serving: true },
    nodeName,
    targetRef: { kind: 'Pod', uid },
  });
  const slice = (...targets: ReturnType<typeof target>[]) =>
    EndpointSlice.fromPartial({ ...endpoints('web'), endpoints: targets }) as Live<EndpointSlice>;
  const here = (uid: string, podIp: string, deletionTimestamp = '') =>
    pod(uid, podIp, { metadata: { uid, deletionTimestamp } });
  const ended = '2026-01-01T00:00:00Z';

  test.each([
    {
      name: 'one that is gone is no endpoint, even if it is the only one',
      slices: [slice(target('10.244.0.5', 'old'))],
      pods: [],
      to: undefined,
    },
    {
      name: 'one of another node is',
      slices: [slice(target('10.244.1.5', 'far', 'n2'))],
      pods: [],
      to: ['10.244.1.5'],
    },
    {
      name: 'of two Pods with one address only the one that ends is left out',
      slices: [slice(target('192.0.2.1', 'a')), slice(target('192.0.2.1', 'b'))],
      pods: [here('a', '192.0.2.1', ended), here('b', '192.0.2.1')],
      to: ['192.0.2.1'],
    },
    {
      name: 'one that ends serves while no other does',
      slices: [slice(target('10.244.0.5', 'old'), target('10.244.0.6', 'gone'))],
      pods: [here('old', '10.244.0.5', ended)],
      to: ['10.244.0.5'],
    },
    {
      name: 'a Pod that got the address of one that is gone is not sent to before it is ready',
      slices: [slice(target('10.244.0.5', 'old'))],
      pods: [here('new', '10.244.0.5')],
      to: undefined,
    },
  ])('$name', ({ slices, pods, to }) => {
    const { balancers } = plan({ services: [service('web')], endpointSlices: slices, localPods: pods });
    expect(balancers[0]?.targets.map(({ ip }) => ip)).toEqual(to);
  });
});

describe('ports of the node', () => {
  const slices = [endpoints('web', { ip: '10.244.0.5' })];
  test.each([
    { name: 'none for a ClusterIP', spec: {}, ports: [] },
    { name: 'the node port', spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }, ports: [30080] },
    {
      name: 'the port itself and the node port for a load balancer',
      spec: { type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30080 }] },
      ports: [80, 30080],
    },
    { name: 'never one of the control plane', spec: { type: 'LoadBalancer', ports: [{ port: 7400 }] }, ports: [] },
  ])('$name', ({ spec, ports }) => {
    expect(
      plan({ services: [service('web', spec)], endpointSlices: slices }).nodePorts.map(({ port }) => port),
    ).toEqual(ports);
  });

  test('are refused without endpoints', () => {
    const { nodePorts, refusedPorts } = plan({ services: [service('web', { type: 'LoadBalancer' })] });
    expect({ nodePorts, refusedPorts }).toEqual({ nodePorts: [], refusedPorts: [{ protocol: 'tcp', port: 80 }] });
  });

  test('that two Services want go to the first by name', () => {
    const services = [
      service('web', { type: 'LoadBalancer' }),
      service('app', { type: 'LoadBalancer', clusterIp: '10.96.0.21' }),
    ];
    const { nodePorts } = plan({ services, endpointSlices: [...slices, endpoints('app', { ip: '10.244.0.6' })] });
    expect(nodePorts).toEqual([{ protocol: 'tcp', port: 80, balancer: 'default/app/tcp/80' }]);
  });

  test('that a Pod asks for lead to it while it runs', () => {
    const spec = { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80, hostPort: 8080 }] }] };
    const localPods = [pod('a', '10.244.0.5', { spec }), pod('b', '10.244.0.6', { spec, status: { phase: 'Failed' } })];
    expect(plan({ localPods }).hostPorts).toEqual([
      { protocol: 'tcp', port: 8080, to: { ip: '10.244.0.5', port: 80 } },
    ]);
  });
});

describe('a ruleset', () => {
  test('is the same in whatever order things are heard of', () => {
    const services = ['a', 'b', 'c'].map((name, index) =>
      service(name, { type: 'LoadBalancer', clusterIp: `10.96.0.${index}` }),
    );
    const slices = ['a', 'b', 'c'].map((name) => endpoints(name, { ip: '10.244.0.5' }, { ip: '10.244.0.6' }));
    fc.assert(
      fc.property(
        fc.shuffledSubarray(services, { minLength: 3 }),
        fc.shuffledSubarray(slices, { minLength: 3 }),
        (some, others) => {
          expect(plan({ services: some, endpointSlices: others })).toEqual(plan({ services, endpointSlices: slices }));
        },
      ),
    );
  });
});

describe('clients that stay with their endpoint', () => {
  const some = fc.uniqueArray(fc.ipV4(), { minLength: 2, maxLength: 7 });

  test('keep it when another one goes', () => {
    fc.assert(
      fc.property(some, (ips) => {
        const [gone = '', ...rest] = ips;
        const before = bucketOwners(ips, 'web');
        const after = bucketOwners(rest, 'web');
        expect(before.filter((owner) => owner !== gone)).toEqual(after.filter((_, bucket) => before[bucket] !== gone));
      }),
    );
  });

  test('are spread over all endpoints', () => {
    expect(new Set(bucketOwners(['a', 'b', 'c'], 'web')).size).toBe(3);
  });
});
