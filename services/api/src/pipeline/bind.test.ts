import { podRulesLease } from '@navarch/kinds';
import { Binding } from '@navarch/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi } from '../api.fixture.ts';

let running: TestApi;
beforeAll(async () => {
  running = await startApi();
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
  const { revision } = await running.client.create(node);
  await running.client.updateStatus({ ...resource({ ...node, status: { allocatable: { cpu: '2' } } }), revision });
});
afterAll(() => running[Symbol.asyncDispose]());

const pod = (name: string, cpu: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } } }] },
});
const to = (name: string, more = {}) => ({ binding: { namespace: 'default', name, nodeName: 'n1', ...more } });

test('a choice from before new rules between Pods is refused, one from after is not, nor one that knows all rules', async () => {
  const { client } = running;
  for (const name of ['a', 'b', 'c']) await client.create(pod(name, '1m'));
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: podRulesLease };
  await client.bind(to('a', { decidedAt: '1' }));
  const { revision } = await client.create(lease);
  const refused = await refusal(client.bind(to('b', { decidedAt: String(revision - 1n) })));
  expect(refused).toMatchObject({ reason: 'Conflict', message: expect.stringContaining('choose again') });
  await client.bind(to('b', { decidedAt: String(revision) }));
  await client.bind(to('c'));
});

test('a node takes no more than it has, also within one transaction', async () => {
  const { client } = running;
  for (const name of ['d', 'e', 'f']) await client.create(pod(name, '900m'));
  const binds = (...names: string[]) =>
    names.map((name) => ({ write: { $case: 'bind' as const, value: Binding.fromJSON(to(name).binding) } }));
  const together = await client.transact({ writes: binds('d', 'e', 'f'), atomic: true });
  expect(together.results.map(({ result }) => result?.$case)).toContain('error');
  const { results } = await client.transact({ writes: binds('d', 'e', 'f') });
  expect(results.map(({ result }) => result?.$case)).toEqual(['resource', 'resource', 'error']);
  expect(results[2]?.result?.value).toMatchObject({
    reason: 'Conflict',
    message: 'pods "f" in namespace "default" does not fit on node "n1" any more: too little cpu',
  });
  await client.delete({ resource: 'pods', namespace: 'default', name: 'd', gracePeriodSeconds: 0 });
  await client.bind(to('f'));
});
