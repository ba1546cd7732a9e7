import { DeleteRequest_Propagation } from '@navarch/proto';
import { expect, test } from 'vitest';
import { job } from '../job/jobs.fixture.ts';
import { agoMs, condition, now } from '../objects.fixture.ts';
import { reconcileFinished } from './reconcile.ts';

const ended = (type: string, ms: number) => ({
  conditions: [condition(type, 'True', { lastTransitionTime: agoMs(ms) })],
});

test.each([
  { name: 'a Job that does not say so stays', of: job({}, ended('Complete', 99_000)), does: 'nothing' },
  { name: 'one that is not finished stays', of: job({ ttlSecondsAfterFinished: 0 }), does: 'nothing' },
  {
    name: 'one that is about to fail stays',
    of: job({ ttlSecondsAfterFinished: 0 }, ended('FailureTarget', 9_000)),
    does: 'nothing',
  },
  {
    name: 'one whose time has not come is looked at then',
    of: job({ ttlSecondsAfterFinished: 60 }, ended('Complete', 40_000)),
    does: 'waits 20000',
  },
  {
    name: 'one whose time has come goes',
    of: job({ ttlSecondsAfterFinished: 60 }, ended('Complete', 60_000)),
    does: 'deletes',
  },
  { name: 'one that failed, too', of: job({ ttlSecondsAfterFinished: 60 }, ended('Failed', 61_000)), does: 'deletes' },
  { name: 'at once, if so wanted', of: job({ ttlSecondsAfterFinished: 0 }, ended('Failed', 0)), does: 'deletes' },
  {
    name: 'one that goes already is left alone',
    of: job({ ttlSecondsAfterFinished: 0 }, ended('Failed', 0), { deletionTimestamp: agoMs(0) }),
    does: 'nothing',
  },
])('$name', ({ of, does }) => {
  const { writes, againAfterMs } = reconcileFinished(of, now);
  const what = writes.length > 0 ? 'deletes' : againAfterMs === undefined ? 'nothing' : `waits ${againAfterMs}`;
  expect(what).toBe(does);
});

test('only this version goes, and what it owns before it', () => {
  const of = job({ ttlSecondsAfterFinished: 0 }, ended('Complete', 0));
  expect(reconcileFinished(of, now).writes).toMatchObject([
    {
      key: { namespace: 'default', name: 'work' },
      options: { uid: 'uid-work', resourceVersion: '5', propagation: DeleteRequest_Propagation.FOREGROUND },
    },
  ]);
});
