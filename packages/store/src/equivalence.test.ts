import { type EtcdServer, startEtcd } from '@navarch/testing';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EtcdStore } from './etcd-store.ts';
import { MemoryStore } from './memory-store.ts';
import { NaiveStore } from './naive-store.fixture.ts';
import { text } from './observe.fixture.ts';
import { someCompares, someOps, someSteps, take } from './random-steps.fixture.ts';
import type { Store, Transaction } from './store.ts';

let server: EtcdServer;
let etcd: EtcdStore;
let runs = 0;
beforeAll(async () => {
  server = await startEtcd();
  etcd = new EtcdStore({ endpoints: server.endpoint });
}, 30_000);
afterAll(async () => {
  await etcd.close();
  await server.stop();
});
const newRoot = () => `/equivalence/${runs++}/`;

test('MemoryStore does what the contract says at its plainest', async () => {
  await fc.assert(
    fc.asyncProperty(someSteps, async (steps) => {
      expect(await take(steps, new MemoryStore(), '/')).toEqual(await take(steps, new NaiveStore(), '/'));
    }),
    { numRuns: 500 },
  );
}, 20_000);

test('EtcdStore does what MemoryStore does', async () => {
  await fc.assert(
    fc.asyncProperty(someSteps, async (steps) => {
      const root = newRoot();
      expect(await take(steps, etcd, root)).toEqual(await take(steps, new MemoryStore(), root));
    }),
    { numRuns: 60 },
  );
}, 30_000);

test('concurrent transactions have the outcome that they would have one after the other', async () => {
  const transactions = fc.array(fc.record({ compare: someCompares, ops: someOps }), { minLength: 2, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(someOps, transactions, async (first, guesses) => {
      const outcomes = async (store: Store, atOnce: boolean) => {
        const root = newRoot();
        const under = (ops: Transaction['ops']) => ops.map((op) => ({ ...op, key: root + op.key }));
        const start = await store.commit({ compare: [], ops: under(first) });
        const later = guesses.map(({ compare, ops }) => ({
          // Only what doesn't depend on how the transactions are grouped: revisions of before, and no revision at all.
          compare: compare.map(({ key, expects }) => ({
            key: root + key,
            ...(expects.startsWith('nothing ')
              ? { notAfter: start.revision }
              : { modRevision: expects === 'nothing' ? 0n : start.revision }),
          })),
          ops: under(ops),
        }));
        const results = [];
        if (atOnce) results.push(...(await Promise.all(later.map((transaction) => store.commit(transaction)))));
        else for (const transaction of later) results.push(await store.commit(transaction));
        const { entries } = await store.list(root);
        return [
          results.map(({ committed }) => committed),
          entries.map(({ key }) => key.slice(root.length)),
          entries.map(text),
        ];
      };
      expect(await outcomes(etcd, true)).toEqual(await outcomes(new MemoryStore(), false));
    }),
    { numRuns: 100 },
  );
}, 30_000);
