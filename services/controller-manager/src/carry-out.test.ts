import type { ClientWrite, WriteOutcome } from '@navarch/client';
import { pod as podKind } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import { describe, expect, test } from 'vitest';
import { attempt, carryOut, type Hands, refusal } from './carry-out.ts';
import { pod } from './objects.fixture.ts';
import type { Plan } from './plan.ts';

const fence = { leaseNamespace: 'n', leaseName: 'l', holderIdentity: 'me', transitions: 1 };
const context = { fence, now: 0, signal: new AbortController().signal };
const creates = (count: number): ClientWrite[] =>
  Array.from({ length: count }, (_, index) => ({ type: 'create', kind: podKind, object: pod(`p${index}`) }));
const removal: ClientWrite = { type: 'delete', kind: podKind, key: { namespace: 'default', name: 'p' } };
const plan = (writes: readonly ClientWrite[]): Plan => ({ writes, events: [] });

/** An api that answers each write as `answer` says, and remembers how many came in each call. */
function api(answer: (write: ClientWrite) => WriteOutcome, most = 1000) {
  const calls: number[] = [];
  const fences: unknown[] = [];
  const told: string[] = [];
  const transact: Hands['client']['transact'] = async (writes, options) => {
    if (writes.length > most) throw new ApiError('RequestEntityTooLarge', 'too large');
    calls.push(writes.length);
    fences.push(options?.fence);
    return writes.map(answer);
  };
  const client = { transact } as Hands['client']; // nothing else is called
  return {
    calls,
    fences,
    told,
    hands: { client, events: { event: (...args: unknown[]) => void told.push(String(args[3])) } },
  };
}
const good = (write: ClientWrite): WriteOutcome => ({
  ok: true,
  object: 'object' in write ? write.object : {},
  revision: 7n,
});
const bad = (reason: string) => (): WriteOutcome => ({ ok: false, error: { reason, message: reason, fields: [] } });

describe('a plan', () => {
  test('is done in calls that grow, every one with the fence', async () => {
    const { calls, fences, hands } = api(good);
    expect(await carryOut(hands, plan(creates(250)), context)).toEqual({ wroteRevision: 7n });
    expect(calls).toEqual([8, 32, 100, 100, 10]);
    expect(new Set(fences)).toEqual(new Set([fence]));
  });

  test('stops where everything is refused', async () => {
    const { calls, hands } = api(bad('Forbidden'));
    const { failures, wroteRevision } = await attempt(hands, plan(creates(250)), context);
    expect({ calls, count: failures.length, wroteRevision }).toEqual({ calls: [8], count: 8, wroteRevision: 0n });
  });

  test('of large objects is done in smaller calls', async () => {
    const { calls, hands } = api(good, 3);
    await carryOut(hands, plan(creates(5)), context);
    expect(calls.reduce((sum, count) => sum + count, 0)).toBe(5);
  });

  test('counts what is already gone as deleted', async () => {
    expect(await carryOut(api(bad('NotFound')).hands, plan([removal]), context)).toEqual({});
  });

  test('tells of a write only when it was done', async () => {
    const event = {
      kind: podKind,
      object: pod('p'),
      type: 'Normal',
      reason: 'Done',
      message: '',
      after: removal,
    } as const;
    const done = api(good);
    await carryOut(done.hands, { writes: [removal], events: [event] }, context);
    expect(done.told).toEqual(['Done']);
    const refused = api(bad('Conflict'));
    await attempt(refused.hands, { writes: [removal], events: [event] }, context);
    expect(refused.told).toEqual([]);
  });
});

test.each([
  { reason: 'AlreadyExists', becomes: 'Conflict' },
  { reason: 'NotFound', becomes: 'Conflict' },
  { reason: 'Invalid', becomes: 'Invalid' },
  { reason: 'Fenced', becomes: 'Fenced' },
  { reason: 'Novel', becomes: 'InternalError' },
])('a refusal because of $reason is $becomes', ({ reason, becomes }) => {
  expect(refusal({ reason, message: '', fields: [] }).reason).toBe(becomes);
});
