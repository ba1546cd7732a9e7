import type { PartialObject, Pod } from '@navarch/proto';
import { expect, test } from 'vitest';
import { refusal, startApi, valueOf } from '../api.fixture.ts';

test('a table has the columns that navctl shows, their cells, and the metadata of each object', async () => {
  await using running = await startApi();
  const { client } = running;
  const pod = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: 'web' } },
    spec: { containers: [{ name: 'web', image: 'nginx' }] },
  });
  for (const name of ['a', 'b', 'c']) await client.create(pod(name));
  const where = { resource: 'pods', namespace: 'default', labelSelector: 'app=web' };
  const first = await client.table({ ...where, limit: 2 });
  expect(first.columns.map(({ name, type, priority }) => `${name} ${type} ${priority}`)).toEqual([
    'NAME string 0',
    'READY string 0',
    'STATUS string 0',
    'RESTARTS string 0',
    'AGE string 0',
    'IP string 1',
    'NODE string 1',
  ]);
  expect(first.columns[0]).toMatchObject({ format: 'name', description: expect.stringContaining('Unique') });
  expect(first.rows.map(({ cells }) => cells.slice(0, 4))).toEqual([
    ['a', '0/1', 'Pending', '0'],
    ['b', '0/1', 'Pending', '0'],
  ]);
  expect(first.rows.map(({ resource }) => valueOf<PartialObject>(resource).metadata?.name)).toEqual(['a', 'b']);
  const rest = await client.table({ ...where, limit: 2, continue: first.continue, form: 'FORM_FULL' });
  expect(rest).toMatchObject({ revision: first.revision, continue: '' });
  expect(rest.rows.map(({ resource }) => valueOf<Pod>(resource).spec?.containers[0]?.image)).toEqual(['nginx']);
  const nodes = await client.table({ resource: 'replicasets' });
  expect(nodes.rows).toEqual([]);
  expect(nodes.columns.filter(({ type }) => type === 'integer').map(({ name }) => name)).toEqual([
    'DESIRED',
    'CURRENT',
    'READY',
  ]);
  expect((await refusal(client.table({ ...where, limit: -1 }))).reason).toBe('BadRequest');
});
