import {
  ApplyRequest,
  Check,
  type ConfigMap,
  DeleteRequest,
  Eviction,
  type Resource,
  type Service,
  UpdateScaleRequest,
  type Write,
} from '@navarch/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, type TestClient, valueOf } from '../api.fixture.ts';
import { configMap, deployment, pod, service } from './manifests.fixture.ts';

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

  const create = (manifest: Parameters<typeof resource>[0]) => ({
    $case: 'create' as const,
    value: resource(manifest),
  });
  const apply = (manifest: object) => ({
    $case: 'apply' as const,
    value: { ...ApplyRequest.fromJSON({}), manifest: JSON.stringify(manifest) },
  });
  const together = async (...writes: NonNullable<Write['write']>[]) =>
    (await client.transact({ writes: writes.map((write) => ({ write })), atomic: true })).results;
  const errors = (results: Awaited<ReturnType<typeof together>>) =>
    results.map(({ result }) =>
      result?.$case === 'error' ? (result.value as { reason: string }).reason : result?.$case,
    );

  test('a Namespace and what lives in it are made together, in this order', async () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'new-home' } };
    const inside = { ...configMap('inside'), metadata: { name: 'inside', namespace: 'new-home' } };
    expect(errors(await together(create(inside), create(namespace)))).toEqual(['NotFound', undefined]);
    const results = await together(apply(namespace), apply(inside));
    expect(results.map(({ done }) => done)).toEqual([1, 1]);
    const [home, object] = results.map(({ result }) => (result?.value as unknown as Resource | undefined)?.revision);
    expect(home).toBe(object);
    const gone = { ...DeleteRequest.fromJSON({ resource: 'namespaces', name: 'new-home' }) };
    const late = { ...configMap('late'), metadata: { name: 'late', namespace: 'new-home' } };
    expect(errors(await together({ $case: 'delete', value: gone }, create(late)))).toEqual([undefined, 'Forbidden']);
  });

  test('each write is decided on what those before it do', async () => {
    const clusterIp = (result: { value: never } | undefined) => valueOf<Service>(result?.value).spec?.clusterIp;
    const fixed = { clusterIP: '10.96.7.7' };
    expect(errors(await together(create(service('ip-a', fixed)), create(service('ip-b', fixed))))).toEqual([
      undefined,
      'Invalid',
    ]);
    const chosen = await together(...Array.from({ length: 20 }, (_, i) => create(service(`many-${i}`))));
    expect(new Set(chosen.map(({ result }) => clusterIp(result ?? undefined))).size).toBe(20);
  });

  test('says of each what was done', async () => {
    await client.apply(configMap('as-it-is', { data: { a: '1' } }));
    await client.apply(deployment('scaled-too'));
    const scale = UpdateScaleRequest.fromJSON({
      resource: 'deployments.apps',
      scale: { metadata: { name: 'scaled-too', namespace: 'default' }, spec: { replicas: 5 } },
    });
    await client.create(pod('evicted-too'));
    const results = await together(
      apply(configMap('as-it-is', { data: { a: '1' } })),
      apply(configMap('made-new')),
      { $case: 'scale', value: scale },
      { $case: 'evict', value: Eviction.fromJSON({ namespace: 'default', name: 'evicted-too' }) },
    );
    expect(results.map(({ done, gone }) => [done, gone])).toEqual([
      [3, false],
      [1, false],
      [2, false],
      [2, true],
    ]);
  });

  test('a check is a condition on an object that does not change', async () => {
    const made = await client.create(configMap('checked'));
    const check = (more: object) => ({
      $case: 'check' as const,
      value: Check.fromJSON({ resource: 'configmaps', namespace: 'default', name: 'checked', ...more }),
    });
    const seen = { revision: String(made.revision), uid: valueOf<ConfigMap>(made).metadata!.uid };
    expect(errors(await together(check(seen), create(configMap('on-check'))))).toEqual(['resource', 'resource']);
    const refused = [check({ ...seen, revision: '1' }), check({ ...seen, uid: 'x' }), check({ absent: true })];
    for (const [i, condition] of refused.entries()) {
      const [first, second] = errors(await together(condition, create(configMap(`off-check-${i}`))));
      expect([first, second]).toEqual([i === 2 ? 'AlreadyExists' : 'Conflict', undefined]);
    }
    expect(errors(await together(check({ name: 'nobody', absent: true })))).toEqual(['resource']);
    expect(errors(await together(check({ name: 'nobody' }), create(configMap('off-check'))))[0]).toBe('NotFound');
  });

  test('of two that both find a condition true and make it false, one is refused', async () => {
    const claim = (mine: string, theirs: string) =>
      together(
        {
          $case: 'check',
          value: Check.fromJSON({ resource: 'configmaps', namespace: 'default', name: theirs, absent: true }),
        },
        create(configMap(mine)),
      );
    for (let round = 0; round < 10; round++) {
      const both = await Promise.all([claim(`l-${round}`, `r-${round}`), claim(`r-${round}`, `l-${round}`)]);
      expect(both.map((results) => errors(results)[0]).sort(byText)).toEqual(['AlreadyExists', 'resource']);
    }
  });

  test('what does not fit is refused whole', async () => {
    const many = Array.from({ length: 101 }, (_, i) => create(configMap(`fit-${i}`)));
    expect((await refusal(together(...many))).reason).toBe('RequestEntityTooLarge');
    const large = ['big-1', 'big-2'].map((name) => create(configMap(name, { data: { x: 'x'.repeat(700_000) } })));
    expect((await refusal(together(...large))).reason).toBe('RequestEntityTooLarge');
    expect((await client.list({ resource: 'configmaps', namespace: 'default' })).items.map(nameOf)).not.toContain(
      'big-1',
    );
    const tried = {
      ...DeleteRequest.fromJSON({ resource: 'configmaps', namespace: 'default', name: 'checked' }),
      dryRun: true,
    };
    expect(errors(await together({ $case: 'delete', value: tried }))).toEqual(['BadRequest']);
  });
});

const byText = (a = '', b = '') => a.localeCompare(b);
const nameOf = (object: Resource) => valueOf<ConfigMap>(object).metadata?.name;

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
