import type { ConfigMap } from '@navarch/proto';
import { MemoryStore, type WatchBatch } from '@navarch/store';
import { expect, test } from 'vitest';
import { refusal, resource, startApi, valueOf } from '../api.fixture.ts';
import { configMap } from './manifests.fixture.ts';

/** A store whose news come late, as they do from a busy etcd. */
class LateStore extends MemoryStore {
  override async *watch(...args: Parameters<MemoryStore['watch']>): AsyncGenerator<WatchBatch, void, void> {
    for await (const batch of super.watch(...args)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      yield batch;
    }
  }
}

test('what the cache has not seen yet is never held against a caller', async () => {
  await using running = await startApi({ store: new LateStore() });
  const { client } = running;
  const get = { resource: 'configmaps', namespace: 'default', name: 'a' };
  const made = await client.create(configMap('a'));
  const changed = await client.update({ ...resource(configMap('a', { data: { x: '1' } })), revision: made.revision });
  expect(valueOf<ConfigMap>(await client.get(get)).data).toEqual({ x: '1' });
  // Equal to what the cache may still show, but not to what is.
  await client.update({ ...resource(configMap('a')), revision: changed.revision });
  expect(valueOf<ConfigMap>(await client.get(get)).data).toEqual({});
  await client.delete(get);
  expect((await refusal(client.get(get))).reason).toBe('NotFound');
  await client.create(configMap('a'));
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'new' } });
  await client.create({ ...configMap('b'), metadata: { name: 'b', namespace: 'new' } });
});
