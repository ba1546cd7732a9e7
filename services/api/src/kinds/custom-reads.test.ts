import type { CustomObject, PartialObject } from '@navarch/proto';
import { MemoryStore } from '@navarch/store';
import { waitFor } from '@navarch/testing';
import { expect, test } from 'vitest';
import { startApi, valueOf } from '../api.fixture.ts';
import { definition, widget } from './widgets.fixture.ts';

test('objects of a custom kind are read at a revision, as metadata and as a table, and have a history', async () => {
  const store = new MemoryStore();
  await using one = await startApi({ store });
  const { client } = one;
  await client.apply(definition({ more: ['v2'] }));
  const made = (await client.apply(widget('w1', { size: 3 }))).resource!;
  await client.apply(widget('w1', { size: 4 }));
  await client.apply(widget('w1', { size: 5 }));
  const key = { resource: 'widgets.example.com', namespace: 'default', name: 'w1' };
  const at = { revision: String(made.revision), match: 'REVISION_MATCH_EXACT' };
  expect(valueOf<CustomObject>(await client.get({ ...key, ...at })).spec).toMatchObject({ size: 3 });

  const newer = { resource: 'widgets.v2.example.com', form: 'FORM_METADATA' };
  const [partial] = (await client.list(newer)).items;
  expect(valueOf<PartialObject>(partial)).toMatchObject({
    apiVersion: 'example.com/v2',
    kind: 'Widget',
    metadata: { name: 'w1' },
  });
  const table = await client.table({ resource: 'widgets' });
  const size = table.columns.findIndex(({ name }) => name.toUpperCase() === 'SIZE');
  expect(table.rows.map(({ cells }) => String(cells[size]))).toEqual(['5']);

  const sizes = async ({ client }: typeof one, resource: string) =>
    (await client.history({ ...key, resource })).entries.map(
      (entry) => (valueOf<CustomObject>(entry.resource).spec as { size: number }).size,
    );
  expect(await sizes(one, key.resource)).toEqual([5, 4, 3]);
  // What outlives compaction is found under every version of the kind.
  await store.compact(await store.revision());
  await using two = await startApi({ store, hub: one.hub });
  for (const resource of ['widgets', 'widgets.v2.example.com']) {
    await waitFor(async () => (await sizes(two, resource)).join() === '5,4,3');
  }
  const { entries } = await two.client.history({ ...key, resource: 'widgets.v2.example.com' });
  expect(entries.map(({ resource }) => valueOf<CustomObject>(resource).apiVersion)).toEqual(
    Array.from({ length: 3 }, () => 'example.com/v2'),
  );
});
