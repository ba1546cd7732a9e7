import { systemClock } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import { waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import { GroupCommit } from './group-commit.ts';
import { put, remove, when, write } from './observe.fixture.ts';
import type { StoreObserver } from './observer.ts';
import type { Transaction, TransactionResult } from './store.ts';

const ok: TransactionResult = { committed: true, revision: 1n };

/** A GroupCommit whose groups are answered when the test says so. */
class Rig {
  readonly groups: (readonly Transaction[])[] = [];
  readonly #answers: PromiseWithResolvers<readonly TransactionResult[]>[] = [];
  readonly commits: GroupCommit;

  constructor(observer: StoreObserver = {}) {
    this.commits = new GroupCommit({
      clock: systemClock,
      observer,
      send: (group) => {
        this.groups.push(group);
        const answer = Promise.withResolvers<readonly TransactionResult[]>();
        this.#answers.push(answer);
        return answer.promise;
      },
    });
  }

  /** The keys that each group changes. */
  get keys(): string[][] {
    return this.groups.map((group) => group.map(({ ops }) => ops.map(({ key }) => key).join('+')));
  }

  async sent(groups: number): Promise<void> {
    await waitFor(() => this.groups.length >= groups, { what: `${groups} groups` });
    await new Promise((turn) => setImmediate(turn));
    if (this.groups.length !== groups) throw new Error(`${this.groups.length} groups were sent instead of ${groups}`);
  }

  answer(group: number): void {
    this.#answers[group]?.resolve((this.groups[group] ?? []).map(() => ok));
  }

  fail(group: number, error: Error): void {
    this.#answers[group]?.reject(error);
  }
}

describe('GroupCommit', () => {
  test('sends at once what comes in one turn, and gathers while two groups are under way', async () => {
    const rig = new Rig();
    const first = ['a', 'b', 'c'].map((key) => rig.commits.commit(write(put(key))));
    await rig.sent(1);
    const lone = rig.commits.commit(write(put('d')));
    await rig.sent(2);
    const later = ['e', 'f'].map((key) => rig.commits.commit(write(put(key))));
    await rig.sent(2);
    rig.answer(0);
    await Promise.all(first);
    await rig.sent(3);
    expect(rig.keys).toEqual([['a', 'b', 'c'], ['d'], ['e', 'f']]);
    rig.answer(1);
    rig.answer(2);
    await Promise.all([lone, ...later]);
  });

  test.each([
    { name: 'two changes of a key', first: write(put('k')), second: write(put('k')), apart: true },
    { name: 'a change and a deletion', first: write(put('k')), second: write(remove('k')), apart: true },
    { name: 'a change, then a compare', first: write(put('k')), second: when({ k: 1n }, put('x')), apart: true },
    { name: 'a compare, then a change', first: when({ k: 1n }, put('x')), second: write(put('k')), apart: true },
    {
      name: 'two compares of a key',
      first: when({ k: 1n }, put('x')),
      second: when({ k: 1n }, put('y')),
      apart: false,
    },
    { name: 'nothing in common', first: when({ k: 1n }, put('k')), second: when({ l: 1n }, put('l')), apart: false },
  ])('$name: in groups of their own, one after the other: $apart', async ({ first, second, apart }) => {
    const rig = new Rig();
    const results = [rig.commits.commit(first), rig.commits.commit(second)];
    await rig.sent(1);
    expect(rig.groups[0]).toHaveLength(apart ? 1 : 2);
    rig.answer(0);
    if (apart) {
      await rig.sent(2);
      rig.answer(1);
    }
    expect(await Promise.all(results)).toEqual([ok, ok]);
  });

  test('what waits for a key does not hold up others, but what comes after it on its own keys waits too', async () => {
    const rig = new Rig();
    const transactions = [write(put('a')), write(put('a'), put('b')), write(put('b')), write(put('c'))];
    const results = transactions.map((transaction) => rig.commits.commit(transaction));
    await rig.sent(1);
    expect(rig.keys).toEqual([['a', 'c']]);
    rig.answer(0);
    await rig.sent(2);
    rig.answer(1);
    await rig.sent(3);
    rig.answer(2);
    expect(rig.keys).toEqual([['a', 'c'], ['a+b'], ['b']]);
    await Promise.all(results);
  });

  test('keeps within what etcd takes: operations, nesting, bytes', async () => {
    const rig = new Rig();
    const of = (count: number, at: string) => write(...Array.from({ length: count }, (_, i) => put(`${at}/${i}`)));
    const large = (key: string): Transaction => write({ type: 'put', key, value: new Uint8Array(600_000) });
    const transactions = [
      ...Array.from({ length: 130 }, (_, i) => of(1, `one${i}`)),
      of(100, 'x'),
      of(100, 'y'),
      of(28, 'z'),
      large('m'),
      large('n'),
    ];
    const results = transactions.map((transaction) => rig.commits.commit(transaction));
    for (let i = 0; i < 5; i++) {
      await waitFor(() => rig.groups.length > i);
      rig.answer(i);
    }
    await Promise.all(results);
    // 127 single ones, as their number and the one operation in each are 128; the other three with x; y and z; m; n.
    expect(rig.groups.map((group) => group.length)).toEqual([127, 4, 2, 1, 1]);
  });

  test('a group that etcd refuses as such is sent one by one', async () => {
    const rig = new Rig();
    const results = Promise.allSettled(['a', 'b'].map((key) => rig.commits.commit(write(put(key)))));
    await rig.sent(1);
    rig.fail(0, new ApiError('RequestEntityTooLarge', 'too many operations'));
    await rig.sent(2);
    rig.answer(1);
    await rig.sent(3);
    rig.fail(2, new ApiError('RequestEntityTooLarge', 'too many operations'));
    expect(await results).toMatchObject([{ value: ok }, { reason: { reason: 'RequestEntityTooLarge' } }]);
    expect(rig.keys).toEqual([['a', 'b'], ['a'], ['b']]);
  });

  test('a group whose fate is unknown is not sent again', async () => {
    const rig = new Rig();
    const results = Promise.allSettled(['a', 'b'].map((key) => rig.commits.commit(write(put(key)))));
    await rig.sent(1);
    rig.fail(0, new ApiError('Unavailable', 'cut'));
    expect(await results).toMatchObject([{ reason: { reason: 'Unavailable' } }, { reason: { reason: 'Unavailable' } }]);
    await rig.sent(1);
  });

  test('a cancelled write is not sent when it still waits, and frees its key', async () => {
    const rig = new Rig();
    const first = rig.commits.commit(write(put('a')));
    await rig.sent(1);
    const controller = new AbortController();
    const second = rig.commits.commit(write(put('a')), controller.signal);
    const third = rig.commits.commit(write(put('a')));
    controller.abort();
    await expect(second).rejects.toMatchObject({ reason: 'Cancelled' });
    rig.answer(0);
    await rig.sent(2);
    rig.answer(1);
    await Promise.all([first, third]);
  });

  test('of several that were called together, a cancelled call tells of each what became of it', async () => {
    const rig = new Rig();
    const controller = new AbortController();
    const all = rig.commits.commitEach([write(put('a')), write(put('a')), write(put(''))], controller.signal);
    await rig.sent(1);
    controller.abort();
    rig.answer(0);
    expect((await all).map((each) => each.status === 'rejected' && (each.reason as ApiError).message)).toEqual([
      'the write was cancelled while under way: whether it was committed is unknown',
      'the write was cancelled before it was sent',
      expect.stringContaining('key'),
    ]);
    await rig.sent(1);
  });

  test('the queue is bounded', async () => {
    const rig = new Rig();
    const results = Promise.allSettled(Array.from({ length: 10_001 }, () => rig.commits.commit(write(put('a')))));
    await rig.sent(1);
    rig.commits.close();
    rig.answer(0);
    const outcomes = await results;
    expect(outcomes[0]).toMatchObject({ value: ok });
    expect(outcomes[9_999]).toMatchObject({ reason: { reason: 'Unavailable' } });
    expect(outcomes[10_000]).toMatchObject({ reason: { reason: 'TooManyRequests' } });
  });

  test('tells its observer of each group', async () => {
    const seen: unknown[] = [];
    const rig = new Rig({
      group: ({ transactions, operations, failed }) => seen.push([transactions, operations, failed]),
    });
    const results = [rig.commits.commit(write(put('a'), put('b'))), rig.commits.commit(write(put('c')))];
    await rig.sent(1);
    rig.answer(0);
    await Promise.all(results);
    expect(seen).toEqual([[2, 3, false]]);
  });
});
