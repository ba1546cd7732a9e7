import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, type TestClient } from '../api.fixture.ts';
import { configMap, deployment, pod } from './manifests.fixture.ts';

let running: TestApi;
let client: TestClient;
beforeAll(async () => {
  running = await startApi();
  client = running.client;
});
afterAll(() => running[Symbol.asyncDispose]());

describe('bad input is refused with the field and the rule', () => {
  const large = 'x'.repeat(1024);
  test.each([
    {
      what: 'an unknown field',
      call: () => client.apply({ ...pod('bad'), spec: { containers: [{ name: 'a', imagee: 'b', image: 'c' }] } }),
      reason: 'Invalid',
      message: 'spec.containers[0].imagee: unknown field; did you mean "image"?',
    },
    {
      what: 'a wrong type',
      call: () => client.apply(deployment('bad', { replicas: 'three' })),
      reason: 'Invalid',
      message: 'spec.replicas: must be a whole number',
    },
    {
      what: 'an impossible value',
      call: () => client.create(deployment('bad', { replicas: -1 })),
      reason: 'Invalid',
      message: 'spec.replicas: -1 must be at least 0',
    },
    {
      what: 'a name that is no DNS name',
      call: () => client.create(pod('Bad_Name')),
      reason: 'Invalid',
      message: 'metadata.name: "Bad_Name" must be a DNS',
    },
    { what: 'no name', call: () => client.create(pod('')), reason: 'Invalid', message: 'metadata.name: must be set' },
    {
      what: 'an object over 1 MiB',
      call: () =>
        client.create(
          deployment('bad', {
            template: {
              metadata: { labels: { app: 'bad' } },
              spec: { containers: [{ name: 'web', image: 'nginx', args: Array.from({ length: 1100 }, () => large) }] },
            },
          }),
        ),
      reason: 'RequestEntityTooLarge',
      message: 'must not be larger than 1048576',
    },
    {
      what: 'a missing namespace',
      call: () => client.create({ ...pod('bad'), metadata: { name: 'bad', namespace: 'nowhere' } }),
      reason: 'NotFound',
      message: 'namespace "nowhere" not found',
    },
    {
      what: 'an unknown kind',
      call: () => client.get({ resource: 'gadgets', name: 'x' }),
      reason: 'NotFound',
      message: 'no kind "gadgets"',
    },
    {
      what: 'a malformed selector',
      call: () => client.list({ resource: 'pods', labelSelector: 'a in (b' }),
      reason: 'BadRequest',
      message: 'label selector',
    },
    {
      what: 'a field that can not be selected',
      call: () => client.list({ resource: 'pods', fieldSelector: 'spec.nodename=n1' }),
      reason: 'BadRequest',
      message: 'did you mean "spec.nodeName"',
    },
    {
      what: 'JSON that is none',
      call: () => client.apply('{"secret'),
      reason: 'BadRequest',
      message: 'manifest is not valid JSON',
    },
    {
      what: 'a missing object',
      call: () => client.update(resource(configMap('missing'))),
      reason: 'NotFound',
      message: 'configmaps "missing" not found',
    },
    {
      what: 'a second object of a name',
      call: async () => {
        await client.create(configMap('twice'));
        await client.create(configMap('twice'));
      },
      reason: 'AlreadyExists',
      message: 'configmaps "twice"',
    },
  ])('$what', async ({ call, reason, message }) => {
    const before = await running.store.list('/navarch/core/pods/');
    const error = await refusal(call());
    expect(error).toMatchObject({ reason, message: expect.stringContaining(message) });
    expect((await running.store.list('/navarch/core/pods/')).entries).toEqual(before.entries);
  });

  test('a secret is not repeated', async () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { password: 12345 } };
    const error = await refusal(client.apply(secret));
    expect(error.message).toContain('stringData.password: must be text');
    expect(error.message).not.toContain('12345');
  });
});
