import { deployment as deploymentKind } from '@navarch/kinds';
import { PatchRequest_Type } from '@navarch/proto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { deployment, untilExactly } from './workloads.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 1 });
});
afterAll(() => cluster.stop());

const apply = (manifest: object | string, ...flags: string[]) =>
  cluster.navctlWith(typeof manifest === 'string' ? manifest : JSON.stringify(manifest), 'apply', '-f', '-', ...flags);
const replicasOf = async (name: string) =>
  (await cluster.client.get(deploymentKind, { namespace: 'default', name })).spec.replicas;

test('what a person did with other commands never stands in the way of apply', async () => {
  // It is one.
  const web = deployment({ name: 'web', replicas: 1, image: 'web:1' }) as { spec: { replicas: number } };
  expect(await apply(web)).toEqual({ code: 0, out: 'deployment.apps/web created\n', err: '' });
  for (const args of [
    ['scale', 'deploy/web', '--replicas=2'],
    ['set', 'image', 'deploy/web', '*=web:2'],
    // Whatever version it is at: controllers write to it all the time.
    ['label', 'deploy/web', 'tier=front', '--overwrite'],
  ]) {
    expect(await cluster.navctl(...args)).toMatchObject({ code: 0, err: '' });
  }
  expect(await apply(web)).toEqual({ code: 0, out: 'deployment.apps/web configured\n', err: '' });
  expect(await replicasOf('web')).toBe(1);
  await untilExactly(cluster, [{ name: 'web', replicas: 1, image: 'web:1' }]);
  // By now controllers have written to it too.
  expect(await apply(web)).toEqual({ code: 0, out: 'deployment.apps/web unchanged\n', err: '' });

  await cluster.navctl('scale', 'deploy/web', '--replicas=2');
  const { replicas: _, ...spec } = web.spec;
  expect(await apply({ ...web, spec })).toMatchObject({ code: 0, err: '' });
  expect(await replicasOf('web')).toBe(2);
  const shown = await cluster.navctl('get', 'deploy', 'web', '-o', 'yaml');
  expect(shown.out).toContain('tier: front');
  expect(shown.out).not.toContain('managedFields');
  const owners = await cluster.navctl('get', 'deploy', 'web', '-o', 'json', '--show-managed-fields');
  expect(owners.out).toContain('"manager": "navctl"');
  await cluster.navctl('delete', 'deploy/web');
  await untilExactly(cluster, []);
});

test('what somebody else decided is told, and taken only by force', async () => {
  const web = deployment({ name: 'contested', replicas: 1, image: 'web:1' });
  await apply(web);
  const patch = { type: PatchRequest_Type.MERGE, patch: '{"spec":{"replicas":0}}' };
  const key = { namespace: 'default', name: 'contested' };
  await cluster.client.patch(deploymentKind, key, patch, { fieldManager: 'autoscaler' });
  const refused = await apply(web);
  expect(refused).toMatchObject({ code: 1, out: '' });
  expect(refused.err).toMatch(
    /^stdin:1:1 deployment\.apps\/contested: Error from server \(Conflict\): .*spec\.replicas was set by "autoscaler" \(Update, /,
  );
  expect(refused.err).toContain('--force-conflicts');
  const settings = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"}}';
  const together = await apply(`${JSON.stringify(web)}\n---\n${settings}`, '--atomic');
  expect(together).toMatchObject({ code: 1, out: '' });
  expect(together.err).toMatch(
    /^error: nothing was changed, because:\n {2}stdin:1:\d+ spec\.replicas: was set by "autoscaler" .*--force-conflicts/,
  );
  expect(await replicasOf('contested')).toBe(0);
  expect(await apply(web, '--force-conflicts', '--dry-run')).toMatchObject({
    out: 'deployment.apps/contested configured (server dry run)\n',
  });
  expect(await replicasOf('contested')).toBe(0);
  expect(await apply(web, '--force-conflicts', '--server-side')).toMatchObject({ code: 0, err: '' });
  expect(await replicasOf('contested')).toBe(1);
  await cluster.navctl('delete', 'deploy/contested');
  await untilExactly(cluster, []);
});

test('fields that are unknown or stand twice are refused, told, or dropped', async () => {
  const text =
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: typo\n  lables: {a: b}\ndata:\n  a: "1"\n  a: "2"\n';
  const refused = await apply(text);
  expect(refused).toMatchObject({ code: 1, out: '' });
  expect(refused.err).toContain('stdin:8:3 this key stands here twice');
  const warned = await apply(text, '--validate=warn');
  expect(warned).toMatchObject({ code: 0, out: 'configmap/typo created\n' });
  expect(warned.err.split('\n')).toEqual([
    'Warning: stdin:5:3 metadata.lables: unknown field; did you mean "labels"?',
    'Warning: stdin:8:3 this key stands here twice; each key must be unique',
    '',
  ]);
  const { out } = await cluster.navctl('get', 'cm', 'typo', '-o', 'json');
  expect(JSON.parse(out)).toMatchObject({ data: { a: '2' } });
  expect(await apply(text, '--validate=false')).toEqual({ code: 0, out: 'configmap/typo unchanged\n', err: '' });
  const wrong = await apply(text.replace('lables: {a: b}', 'labels: 1'), '--validate=ignore');
  expect(wrong.err).toContain('metadata.labels: must be an object');
});

test('a dry run changes nothing, whatever the command', async () => {
  const web = { name: 'dry', replicas: 1, image: 'web:1' };
  await apply(deployment(web));
  await untilExactly(cluster, [web]);
  const before = await cluster.client.get(deploymentKind, { namespace: 'default', name: 'dry' });
  for (const args of [
    ['scale', 'deploy/dry', '--replicas=5'],
    ['set', 'image', 'deploy/dry', '*=web:2'],
    ['label', 'deploy/dry', 'a=b'],
    ['annotate', 'deploy/dry', 'a=b'],
    ['patch', 'deploy/dry', '-p', '{"spec":{"paused":true}}'],
    ['create', 'namespace', 'dry'],
    ['create', 'deployment', 'other', '--image=x'],
    ['delete', 'deploy/dry'],
  ]) {
    const { code, out } = await cluster.navctl(...args, '--dry-run=server');
    expect({ args, code, out }).toEqual({ args, code: 0, out: expect.stringContaining('(server dry run)') as string });
  }
  expect(await cluster.client.get(deploymentKind, { namespace: 'default', name: 'dry' })).toEqual(before);
  expect((await cluster.navctl('get', 'ns', 'dry')).code).toBe(1);
});
