import { expect, test } from 'vitest';
import { node, service } from '../objects.fixture.ts';
import { reconcileLoadBalancer } from './reconcile.ts';

const at = (name: string, address: string, ready = 'True') =>
  node(name, {
    ready,
    status: {
      conditions: [{ type: 'Ready', status: ready }],
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
    },
  });
const nodes = [at('b', '10.0.0.2'), at('a', '10.0.0.1'), at('c', '10.0.0.3', 'Unknown')];
const ingress = [
  { ip: '10.0.0.1', hostname: '' },
  { ip: '10.0.0.2', hostname: '' },
];
const balanced = { status: { loadBalancer: { ingress } } };

test.each([
  {
    name: 'gets the addresses of the nodes that are ready',
    object: service({ spec: { type: 'LoadBalancer' } }),
    writes: [ingress],
  },
  {
    name: 'is left alone when it has them',
    object: service({ spec: { type: 'LoadBalancer' }, ...balanced }),
    writes: [],
  },
  {
    name: 'loses them when it is a load balancer no more',
    object: service({ spec: { type: 'ClusterIP' }, ...balanced }),
    writes: [[]],
  },
  { name: 'of another type gets none', object: service(), writes: [] },
])('a Service $name', ({ object, writes }) => {
  const plan = reconcileLoadBalancer(object, nodes);
  expect(plan.writes).toMatchObject(
    writes.map((addresses) => ({ type: 'updateStatus', object: { status: { loadBalancer: { ingress: addresses } } } })),
  );
});

test('a load balancer keeps its addresses while no node is known to be ready', () => {
  const object = service({ spec: { type: 'LoadBalancer' }, ...balanced });
  expect(reconcileLoadBalancer(object, [at('a', '10.0.0.1', 'Unknown')]).writes).toEqual([]);
});
