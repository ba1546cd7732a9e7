import type { InformerSet } from '@navarch/client';
import { aborted, createLogger, VirtualClock } from '@navarch/kit';
import { expect, test } from 'vitest';
import { FakeApi } from './fake-api.fixture.ts';
import { LeaderElector } from './leader-elector.ts';
import { LeaderWork } from './leader-work.ts';

test('stands for election once the caches are filled, and keeps them until the work has ended', async () => {
  const [api, clock, logger] = [new FakeApi(), new VirtualClock(), createLogger({ name: 'test', level: 'silent' })];
  const seen: string[] = [];
  const filled = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const informers: Pick<InformerSet, 'run' | 'synced'> = {
    run: async (signal) => {
      await aborted(signal);
      seen.push('caches stopped');
    },
    synced: () => filled.promise,
  };
  const client = api.asLeaseClient();
  const elector = new LeaderElector({ client, name: 'work', identity: 'me', clock, logger });
  const work = new LeaderWork(
    { name: 'work', informers: informers as InformerSet, elector, logger }, // all that it uses
    async (term) => {
      seen.push('leading');
      await aborted(term.signal);
      await finish.promise;
      seen.push('work ended');
    },
  );
  const process = new AbortController();
  await work.start(process.signal);
  await clock.advance(60_000);
  expect(seen).toEqual([]);
  filled.resolve();
  await clock.advance(0);
  expect(seen).toEqual(['leading']);
  process.abort();
  await clock.advance(5000);
  expect(seen).toEqual(['leading']);
  finish.resolve();
  await work.stop();
  expect(seen).toEqual(['leading', 'work ended', 'caches stopped']);
  expect(api.lease('work')?.spec.holderIdentity).toBe('');
});
