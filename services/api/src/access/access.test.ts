import { ClusterRole, ClusterRoleBinding, type Pod } from '@navarch/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, type TestClient, valueOf } from '../api.fixture.ts';

const group = 'rbac.authorization.k8s.io';
const inShop = (name: string) => ({ name, namespace: 'shop' });
const role = (name: string, rules: object[]) => ({
  apiVersion: `${group}/v1`,
  kind: 'Role',
  metadata: inShop(name),
  rules,
});
const clusterRole = (name: string, rules: object[], more: object = {}) => ({
  apiVersion: `${group}/v1`,
  kind: 'ClusterRole',
  metadata: { name },
  rules,
  ...more,
});
const binding = (name: string, roleRef: object, ...subjects: object[]) => ({
  apiVersion: `${group}/v1`,
  kind: 'RoleBinding',
  metadata: inShop(name),
  roleRef: { apiGroup: group, ...roleRef },
  subjects,
});
const user = (name: string) => ({ kind: 'User', name });
const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: inShop(name),
  spec: { containers: [{ name: 'main', image: 'nginx' }] },
});

describe('calls for users', () => {
  let test1: TestApi;
  let admin: TestClient;
  beforeAll(async () => {
    test1 = await startApi();
    admin = test1.client;
    await admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    await admin.create(pod('web'));
    for (const [name, of] of [
      ['vera', 'view'],
      ['eddy', 'edit'],
      ['anna', 'admin'],
    ] as const) {
      await admin.create(binding(name, { kind: 'ClusterRole', name: of }, user(name)));
    }
  });
  afterAll(async () => await test1[Symbol.asyncDispose]());

  test('somebody without roles is refused in the words that tools know', async () => {
    const nobody = admin.as('nobody');
    const asked = [
      nobody.list({ resource: 'pods', namespace: 'shop' }),
      nobody.list({ resource: 'deployments.apps' }),
      nobody.get({ resource: 'pods', namespace: 'shop', name: 'web' }),
      nobody.create(pod('mine')),
      nobody.getScale({ resource: 'deployments', namespace: 'shop', name: 'web' }),
      nobody.deleteCollection({ resource: 'pods', namespace: 'shop' }),
    ];
    const refusals = await Promise.all(asked.map(refusal));
    expect(new Set(refusals.map(({ reason }) => reason))).toEqual(new Set(['Forbidden']));
    expect(refusals.map(({ message }) => message)).toEqual([
      'pods is forbidden: User "nobody" cannot list resource "pods" in API group "" in the namespace "shop"',
      'deployments.apps is forbidden: User "nobody" cannot list resource "deployments" in API group "apps" at the cluster scope',
      'pods "web" is forbidden: User "nobody" cannot get resource "pods" in API group "" in the namespace "shop"',
      'pods is forbidden: User "nobody" cannot create resource "pods" in API group "" in the namespace "shop"',
      'deployments.apps "web" is forbidden: User "nobody" cannot get resource "deployments/scale" in API group "apps" in the namespace "shop"',
      'pods is forbidden: User "nobody" cannot deletecollection resource "pods" in API group "" in the namespace "shop"',
    ]);
  });

  test('a watch and each write of a transaction are asked about as well', async () => {
    const nobody = admin.as('nobody');
    const batches = nobody.watch({ targets: [{ resource: 'pods', namespace: 'shop' }] }, AbortSignal.timeout(10_000));
    expect((await refusal(batches.next())).reason).toBe('Forbidden');
    const writes = [{ write: { $case: 'create', value: resource(pod('mine')) } as const }];
    const { results } = await nobody.transact({ writes });
    expect(results.map(({ result }) => result?.$case)).toEqual(['error']);
  });

  test('a viewer sees Pods, and neither Secrets nor other namespaces', async () => {
    const vera = admin.as('vera');
    expect((await vera.list({ resource: 'pods', namespace: 'shop' })).items).toHaveLength(1);
    expect((await refusal(vera.list({ resource: 'secrets', namespace: 'shop' }))).reason).toBe('Forbidden');
    expect((await refusal(vera.list({ resource: 'pods', namespace: 'default' }))).reason).toBe('Forbidden');
    expect((await refusal(vera.create(pod('mine')))).reason).toBe('Forbidden');
  });

  test('an editor makes Pods, and gives no roles', async () => {
    const eddy = admin.as('eddy');
    expect(valueOf<Pod>(await eddy.create(pod('by-eddy'))).metadata?.name).toBe('by-eddy');
    expect((await refusal(eddy.create(role('mine', [])))).reason).toBe('Forbidden');
  });

  test('an apply that makes something needs to be allowed to create, too', async () => {
    await admin.create(role('patcher', [{ verbs: ['patch'], apiGroups: [''], resources: ['pods'] }]));
    await admin.create(binding('patcher', { kind: 'Role', name: 'patcher' }, user('petra')));
    const petra = admin.as('petra');
    const labelled = (name: string) => ({ ...pod(name), metadata: { ...inShop(name), labels: { by: 'petra' } } });
    expect((await refusal(petra.apply(labelled('new'), { fieldManager: 'p' }))).message).toContain(
      'cannot create resource "pods"',
    );
    await petra.apply({ apiVersion: 'v1', kind: 'Pod', metadata: labelled('web').metadata }, { fieldManager: 'p' });
  });

  test('nobody gives more than they have', async () => {
    const anna = admin.as('anna');
    const podReader = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
    const nodeReader = { verbs: ['get'], apiGroups: [''], resources: ['nodes'] };
    await anna.create(role('pod-reader', [podReader]));
    const refused = await refusal(anna.create(role('node-reader', [podReader, nodeReader])));
    expect(refused.message).toContain('is attempting to grant RBAC permissions not currently held:');
    expect(refused.message).toContain('{APIGroups:[""], Resources:["nodes"], Verbs:["get"]}');
    const change = anna.patch({
      resource: `roles.${group}`,
      namespace: 'shop',
      name: 'pod-reader',
      type: 'TYPE_MERGE',
      patch: JSON.stringify({ rules: [nodeReader] }),
    });
    expect((await refusal(change)).reason).toBe('Forbidden');
    await anna.create(binding('mate', { kind: 'ClusterRole', name: 'edit' }, user('mate')));
    expect(
      (await refusal(anna.create(binding('boss', { kind: 'ClusterRole', name: 'cluster-admin' }, user('mate')))))
        .reason,
    ).toBe('Forbidden');
    expect((await refusal(anna.create(binding('gone', { kind: 'Role', name: 'gone' }, user('mate'))))).reason).toBe(
      'NotFound',
    );
    // What gives nothing that was not given before is theirs to change.
    await anna.patch({
      resource: `rolebindings.${group}`,
      namespace: 'shop',
      name: 'anna',
      type: 'TYPE_MERGE',
      patch: JSON.stringify({ metadata: { labels: { a: 'b' } } }),
    });
  });

  test('bind and escalate let somebody give what they have not', async () => {
    await admin.create(
      clusterRole('giver', [
        { verbs: ['create'], apiGroups: [group], resources: ['roles', 'rolebindings'] },
        { verbs: ['escalate'], apiGroups: [group], resources: ['roles'] },
        { verbs: ['bind'], apiGroups: [group], resources: ['clusterroles'], resourceNames: ['view'] },
      ]),
    );
    await admin.create(binding('giver', { kind: 'ClusterRole', name: 'giver' }, user('gina')));
    const gina = admin.as('gina');
    await gina.create(role('large', [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]));
    await gina.create(binding('given', { kind: 'ClusterRole', name: 'view' }, user('x')));
    expect((await refusal(gina.create(binding('more', { kind: 'ClusterRole', name: 'edit' }, user('x'))))).reason).toBe(
      'Forbidden',
    );
  });

  test('masters may do everything, and calls without an identity', async () => {
    await admin
      .as('root', 'system:masters')
      .create(clusterRole('by-root', [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]));
    const made = valueOf<ClusterRole>(await admin.get({ resource: 'clusterroles', name: 'by-root' }));
    expect(made.rules).toHaveLength(1);
  });

  test('an identity that says nothing is refused', async () => {
    expect((await refusal(admin.as('').list({ resource: 'pods' }))).reason).toBe('Unauthorized');
  });

  test('reviews answer for oneself, and for others to those who may ask', async () => {
    const vera = admin.as('vera');
    const look = { verb: 'list', resource: 'pods', namespace: 'shop' };
    expect(await vera.review({ resource: look })).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "vera/shop" of ClusterRole "view" to User "vera"',
      refusal: '',
    });
    expect((await vera.review({ resource: { ...look, verb: 'delete' } })).allowed).toBe(false);
    expect((await vera.review({ path: { verb: 'get', path: '/api' } })).allowed).toBe(true);
    expect((await refusal(vera.review({ user: { username: 'eddy' }, resource: look }))).reason).toBe('Forbidden');
    const local = { user: { username: 'eddy' }, resource: look, local: true };
    expect((await admin.as('anna').review(local)).allowed).toBe(true);
    expect((await admin.review({ user: { username: 'nobody' }, resource: look })).allowed).toBe(false);
    expect((await admin.review({ resource: look })).allowed).toBe(true);
    const { rules } = await vera.listRules({ namespace: 'shop' });
    expect(rules.some(({ resources }) => resources.includes('pods/log'))).toBe(true);
  });
});

test('default roles come back, and keep what users added', async () => {
  await using first = await startApi();
  const all = async (client: TestClient, resource: string) => (await client.list({ resource })).items.map(valueOf);
  const names = (await all(first.client, 'clusterroles')).map((each) => (each as ClusterRole).metadata?.name);
  expect(names).toEqual(
    expect.arrayContaining(['cluster-admin', 'admin', 'edit', 'view', 'system:discovery', 'system:basic-user']),
  );
  const revision = (await first.client.list({ resource: 'pods' })).revision;
  await using _second = await startApi({ store: first.store, hub: first.hub });
  // A second api finds everything as it would make it.
  const changed = (await all(first.client, 'clusterroles')).filter(
    (each) => BigInt((each as ClusterRole).metadata?.generation ?? 0) > 1n,
  );
  expect(changed).toEqual([]);
  expect(revision > 0n).toBe(true);

  const extra = { kind: 'User', apiGroup: group, name: 'jane', namespace: '' };
  const found = valueOf<ClusterRoleBinding>(
    await first.client.get({ resource: 'clusterrolebindings', name: 'cluster-admin' }),
  );
  await first.client.patch({
    resource: 'clusterrolebindings',
    name: 'cluster-admin',
    type: 'TYPE_MERGE',
    patch: JSON.stringify({ subjects: [extra] }),
  });
  await first.client.delete({ resource: 'clusterroles', name: 'system:discovery' });
  await using third = await startApi({ store: first.store, hub: first.hub });
  const again = valueOf<ClusterRoleBinding>(
    await third.client.get({ resource: 'clusterrolebindings', name: 'cluster-admin' }),
  );
  expect(again.subjects).toEqual([extra, ...found.subjects]);
  await third.client.get({ resource: 'clusterroles', name: 'system:discovery' });
});
