import { describe, expect, test } from 'vitest';
import type { Live } from '@navarch/machinery';
import type { Endpoint, EndpointSlice, Pod } from '@navarch/proto';
import { agoMs, lines, pod, service, slice } from '../objects.fixture.ts';
import { managedByLabel, reconcileEndpointSlices, serviceNameLabel } from './reconcile.ts';

const at = (ip: string, more: Parameters<typeof pod>[1] = {}) =>
  pod(`pod-${ip}`, { ...more, status: { ...more.status, podIp: ip } });
const ip = (index: number) => `10.244.${Math.floor(index / 250)}.${(index % 250) + 1}`;
const many = (count: number, from = 0) => Array.from({ length: count }, (_, index) => at(ip(from + index)));

/** Does what the plan says to a set of slices. */
function after(
  slices: readonly Live<EndpointSlice>[],
  plan: ReturnType<typeof reconcileEndpointSlices>,
): Live<EndpointSlice>[] {
  const result = new Map(slices.map((one) => [one.metadata.name, one]));
  for (const write of plan.writes) {
    if (write.type === 'delete') result.delete(write.key.name);
    // The plan writes nothing but slices.
    else if ('object' in write) result.set(write.object.metadata?.name ?? '', write.object as Live<EndpointSlice>);
  }
  return [...result.values()];
}
const build = (pods: readonly Live<Pod>[], of = service()) =>
  after([], reconcileEndpointSlices({ service: of, pods, slices: [] }));
const endpointsOf = (slices: readonly Live<EndpointSlice>[]): Endpoint[] =>
  slices.flatMap(({ endpoints }) => endpoints);

describe('an endpoint', () => {
  test.each([
    { name: 'a ready Pod', more: {}, conditions: { ready: true, serving: true, terminating: false } },
    {
      name: 'a Pod that is not ready',
      more: { ready: false },
      conditions: { ready: false, serving: false, terminating: false },
    },
    {
      name: 'a Pod that ends, still serving',
      more: { metadata: { deletionTimestamp: agoMs(1) } },
      conditions: { ready: false, serving: true, terminating: true },
    },
  ])('$name', ({ more, conditions }) => {
    expect(endpointsOf(build([at('10.244.0.7', more)]))).toMatchObject([
      {
        addresses: ['10.244.0.7'],
        conditions,
        nodeName: 'n1',
        targetRef: { kind: 'Pod', name: 'pod-10.244.0.7', namespace: 'default' },
      },
    ]);
  });

  test.each([
    { spec: { hostname: 'db-0', subdomain: 'web' }, hostname: 'db-0' },
    { spec: { hostname: 'db-0', subdomain: 'other' }, hostname: '' },
    { spec: { hostname: 'db-0' }, hostname: '' },
  ])('has a name of its own, $hostname, where the Pod’s subdomain is the Service: $spec', ({ spec, hostname }) => {
    expect(endpointsOf(build([at('10.244.0.7', { spec })]))).toMatchObject([{ hostname }]);
  });

  test('is ready all the same where the Service publishes those that are not', () => {
    const of = service({ spec: { publishNotReadyAddresses: true } });
    expect(endpointsOf(build([at('10.244.0.7', { ready: false })], of))).toMatchObject([
      { conditions: { ready: true, serving: false } },
    ]);
  });

  test.each([
    { name: 'has no address yet', more: { status: { podIp: '' } } },
    { name: 'is over', more: { status: { phase: 'Succeeded', podIp: '10.244.0.9' } } },
  ])('is none when the Pod $name', ({ more }) => {
    expect(build([pod('a', more)])).toEqual([]);
  });
});

describe('ports', () => {
  const port = (containerPort: number) => ({
    spec: { containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort, protocol: 'TCP' }] }] },
  });
  const named = service({ spec: { ports: [{ name: 'web', port: 80, targetPort: 'http' }] } });

  test('with a name are each Pod’s own: Pods that differ get slices of their own', () => {
    const slices = build(
      [at('10.244.0.1', port(8080)), at('10.244.0.2', port(9090)), at('10.244.0.3', port(8080))],
      named,
    );
    expect(slices.map(({ ports, endpoints }) => [ports[0]?.name, ports[0]?.port, endpoints.length])).toEqual([
      ['web', 8080, 2],
      ['web', 9090, 1],
    ]);
  });

  test('that a Pod does not have are not served by it', () => {
    expect(build([at('10.244.0.1')], named)).toEqual([]);
  });
});

describe('slices', () => {
  test('hold at most 100 endpoints each, and are marked and owned', () => {
    const slices = build(many(250));
    expect(slices.map(({ endpoints }) => endpoints.length)).toEqual([100, 100, 50]);
    expect(slices[0]).toMatchObject({
      metadata: {
        labels: { [serviceNameLabel]: 'web' },
        ownerReferences: [{ kind: 'Service', name: 'web', controller: true }],
      },
      addressType: 'IPv4',
    });
    expect(slices[0]?.metadata.labels[managedByLabel]).toBeDefined();
  });

  test('stay as they are when nothing changed, in whatever order Pods are listed', () => {
    const slices = build(many(250));
    expect(reconcileEndpointSlices({ service: service(), pods: many(250).toReversed(), slices }).writes).toEqual([]);
  });

  test('one Pod more is one slice changed', () => {
    const slices = build(many(250));
    const plan = reconcileEndpointSlices({ service: service(), pods: [...many(250), at('10.244.9.9')], slices });
    expect(plan.writes).toHaveLength(1);
    expect(endpointsOf(after(slices, plan))).toHaveLength(251);
  });

  test('one Pod for another is one slice changed', () => {
    const slices = build(many(200));
    const plan = reconcileEndpointSlices({ service: service(), pods: [...many(199, 1), at('10.244.9.9')], slices });
    expect(plan.writes).toHaveLength(1);
  });

  test('go when they are empty', () => {
    const slices = build(many(1));
    expect(lines(reconcileEndpointSlices({ service: service(), pods: [], slices }).writes)).toEqual([
      `delete endpointslice ${slices[0]?.metadata.name}`,
    ]);
  });

  test('of other ports are replaced when the Service’s port changes', () => {
    const slices = build(many(2));
    const changed = service({ spec: { ports: [{ port: 80, targetPort: 8080 }] } });
    const next = after(slices, reconcileEndpointSlices({ service: changed, pods: many(2), slices }));
    expect(next.map(({ ports, endpoints }) => [ports[0]?.port, endpoints.length])).toEqual([[8080, 2]]);
  });

  test('of a Service without a selector are people’s own', () => {
    const of = service({ spec: { selector: {} } });
    expect(reconcileEndpointSlices({ service: of, pods: many(2), slices: [slice('theirs')] }).writes).toEqual([]);
  });
});
