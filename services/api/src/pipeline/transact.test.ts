import type { Resource } from '@navarch/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, type TestClient } from '../api.fixture.ts';
import { configMap } from './manifests.fixture.ts';

let running: TestApi;
let client: TestClient;
beforeAll(async () => {
  running = await startApi();
  client = running.client;
});
afterAll(() => running[Symbol.asyncDispose]());

describe('transact', () => {
  test('atomic: all or nothing, with an error for each write that was wrong', async () => {
    const writes = [configMap('t1'), configMap('Not-A-Name'), configMap('t2')].map((manifest) => ({
      write: { $case: 'create' as const, value: resource(manifest) },
    }));
    const { results } = await client.transact({ writes, atomic: true });
    expect(results.map(({ result }) => result?.$case)).toEqual([undefined, 'error', undefined]);
    expect((await refusal(client.get({ resource: 'configmaps', namespace: 'default', name: 't1' }))).reason).toBe(
      'NotFound',
    );
    const each = await client.transact({ writes });
    expect(each.results.map(({ result }) => result?.$case)).toEqual(['resource', 'error', 'resource']);
  });

  test('atomic writes share one revision', async () => {
    const writes = ['s1', 's2'].map((name) => ({
      write: { $case: 'create' as const, value: resource(configMap(name)) },
    }));
    const { results } = await client.transact({ writes, atomic: true });
    const [first, second] = results.map(({ result }) => result?.value as unknown as Resource);
    expect(first?.revision).toBe(second?.revision);
    expect(first?.revision).toBeGreaterThan(0n);
  });
});

describe('fence', () => {
  test('a leader writes while it renews, and is refused once another has taken over', async () => {
    const lease = (holder: string, transitions: number, renewTime: string) => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'leader', namespace: 'navarch-system' },
      spec: { holderIdentity: holder, leaseTransitions: transitions, leaseDurationSeconds: 15, renewTime },
    });
    await client.create(lease('a', 1, '2026-01-01T00:00:00Z'));
    const fence = { leaseNamespace: 'navarch-system', leaseName: 'leader', holderIdentity: 'a', transitions: 1 };
    await Promise.all([
      ...Array.from({ length: 10 }, (_, i) => client.update(resource(lease('a', 1, `2026-01-01T00:00:1${i}Z`)))),
      ...Array.from({ length: 10 }, (_, i) => client.create(configMap(`fenced-${i}`), { fence })),
    ]);
    await client.update(resource(lease('b', 2, '2026-01-01T00:01:00Z')));
    const late = await refusal(client.create(configMap('fenced-late'), { fence }));
    expect(late).toMatchObject({ reason: 'Fenced', message: expect.stringContaining('held by "b"') });
  });
});
