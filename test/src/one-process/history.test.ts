import { Pod, ReplicaSet, Resource } from '@navarch/proto';
import { MemoryStore } from '@navarch/store';
import { waitFor } from '@navarch/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { History } from './history.ts';

let store: MemoryStore;
let history: History;
beforeEach(() => {
  store = new MemoryStore();
  history = new History(store);
});
afterEach(async () => {
  await history.stop();
  await store.close();
});

const controller = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'web-uid', controller: true };

async function put(key: string, resource: Parameters<typeof Resource.fromPartial>[0]): Promise<void> {
  const modRevision = (await store.get(key))?.modRevision ?? 0n;
  const value = Buffer.concat([Buffer.of(0), Resource.encode(Resource.fromPartial(resource)).finish()]);
  await store.commit({ compare: [{ key, modRevision }], ops: [{ type: 'put', key, value }] });
}

function putReplicaSet(replicas: number): Promise<void> {
  const value = ReplicaSet.fromPartial({ metadata: { name: 'web', uid: 'web-uid' }, spec: { replicas } });
  return put('/navarch/apps/replicasets/default/web', { object: { $case: 'replicaSet', value } });
}

function putPod(name: string, nodeName = '', deletionTimestamp = ''): Promise<void> {
  const metadata = { name, uid: name, deletionTimestamp, ownerReferences: [controller] };
  const value = Pod.fromPartial({ metadata, spec: { nodeName } });
  return put(`/navarch/core/pods/default/${name}`, { object: { $case: 'pod', value } });
}

test('a Pod too many is wrong; one that stays while others go is not', async () => {
  await putReplicaSet(2);
  await putPod('a');
  await putPod('b', '', '2026-01-01T00:00:00Z');
  await putPod('c');
  await waitFor(() => history.podsMade === 3);
  expect(history.wrongs).toEqual([]);
  await putPod('d');
  await waitFor(() => history.wrongs.length === 1);
});

test('a Pod that moves is wrong', async () => {
  await putPod('a');
  await putPod('a', 'n1');
  await waitFor(() => history.podsMade === 1);
  expect(history.wrongs).toEqual([]);
  await putPod('a', 'n2');
  await waitFor(() => history.wrongs.length === 1);
});
