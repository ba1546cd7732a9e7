import { lease as leaseKind } from '@navarch/kinds';
import { Lease, Resource } from '@navarch/proto';
import { MemoryStore } from '@navarch/store';
import { waitFor } from '@navarch/testing';
import { expect, test } from 'vitest';
import { refusal, startApi } from '../api.fixture.ts';
import { feedLease } from '../feed/feed-lease.ts';
import { StorePast } from '../read/store-past.ts';
import { seal } from '../storage/envelope.ts';
import { storageKey } from '../storage/keys.ts';
import { Timeline } from './timeline.ts';

const never = new AbortController().signal;

test('a time is at the newest renewal of the lease of the change feed that is not after it', async () => {
  const store = new MemoryStore();
  const put = async (key: string, value: Uint8Array) => {
    await store.commit({ compare: [], ops: [{ type: 'put', key, value }] });
    return await store.revision();
  };
  const renew = (ms: number) => {
    const value = Lease.fromJSON({ metadata: feedLease, spec: { renewTime: new Date(ms).toISOString() } });
    const body = Resource.encode({ revision: 0n, object: { $case: 'lease', value } }).finish();
    return put(storageKey(leaseKind, feedLease), seal(body));
  };
  const other = () => put('/other', new Uint8Array());
  const timeline = new Timeline({ store, past: new StorePast(store) });
  await expect(timeline.find(1_000, never)).rejects.toMatchObject({ reason: 'Expired' });
  await other();
  const first = await renew(10_000);
  await other();
  const between = await other();
  for (let i = 0; i < 20; i++) await other();
  const second = await renew(13_000);
  const third = await renew(16_000);
  const last = await other();
  const revisionAt = async (ms: number) => (await timeline.find(ms, never)).revision;
  expect(await Promise.all([10_000, 12_999, 13_000, 15_000, 16_000, 99_000].map(revisionAt))).toEqual([
    first,
    first,
    second,
    second,
    third,
    third,
  ]);
  expect(await timeline.at(between, never)).toEqual({ revision: first, atMs: 10_000 });
  expect(await timeline.at(last, never)).toEqual({ revision: third, atMs: 16_000 });
  await expect(timeline.find(9_999, never)).rejects.toThrow('begins at 1970-01-01T00:00:10.000Z');
  // The renewal itself is compacted away, but the Lease as it was can still be read.
  await store.compact(between);
  expect(await revisionAt(11_000)).toBe(between);
  await store.compact(third);
  await expect(timeline.find(13_500, never)).rejects.toThrow('begins at 1970-01-01T00:00:16.000Z');
});

test('the api tells the revision at a time, and what to do when that is forgotten', async () => {
  await using running = await startApi();
  const { client } = running;
  // The lease of the change feed is taken soon after the start.
  await waitFor(() => client.findRevision({}).then(() => true));
  const { revision, time } = await client.findRevision({});
  expect(revision).toBeGreaterThan(0n);
  expect(Date.now() - Date.parse(time)).toBeLessThan(20_000);
  expect((await client.findRevision({ time: new Date().toISOString() })).revision).toBeGreaterThanOrEqual(revision);
  expect((await refusal(client.findRevision({ agoMs: '3600000' }))).reason).toBe('Expired');
  for (const wrong of [{ time: 'yesterday' }, { agoMs: '-1' }, { time, agoMs: '1' }]) {
    expect((await refusal(client.findRevision(wrong))).reason).toBe('BadRequest');
  }
});
