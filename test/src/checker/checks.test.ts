import { describe, expect, test } from 'vitest';
import { checkReads } from './check-reads.ts';
import { checkInformer, checkWatch } from './check-watches.ts';
import { checkWrites } from './check-writes.ts';
import type { Call, Change, InformerRecord, Outcome, Question, Seen, Version, WatchEntry } from './history.ts';

// Histories that never were: each breaks one promise, and must be found out.

const key = 'configmaps default/a';
const version = (revision: number, over: Partial<Version> = {}): Version => ({
  key,
  revision: BigInt(revision),
  gone: false,
  by: '',
  statusBy: '',
  count: 0,
  color: 'red',
  ...over,
});
let moment = 0;
const call = (id: string, question: Question, outcome: Outcome, over: Partial<Call> = {}): Call => ({
  id,
  words: id,
  began: ++moment,
  ended: ++moment,
  question,
  outcome,
  ...over,
});
const change = (over: Partial<Change> = {}): Change => ({ key, effect: 'object', expected: 0n, ...over });
const write = (id: string, outcome: Outcome, changes: readonly Change[] = [change()], atomic = false): Call =>
  call(id, { type: 'write', changes, atomic }, outcome);
const done = (...revisions: number[]): Outcome => ({
  type: 'written',
  at: revisions.map((revision) => ({ key, revision: BigInt(revision) })),
});
const unknown: Outcome = { type: 'unknown', reason: 'Unavailable' };
const refused: Outcome = { type: 'refused', reason: 'Conflict' };
const promises = (violations: readonly { promise: string }[]) => violations.map(({ promise }) => promise);
const other = 'pods default/b';

describe('writes', () => {
  const increment = [change({ expected: 5n, increments: true })];
  test.each<{ name: string; calls: Call[]; truth: Version[]; broken: string[] }>([
    {
      name: 'an acknowledged write that is there, and one that nobody answered, there or not',
      calls: [write('w1', done(5)), write('w2', unknown), write('w3', unknown), write('w4', refused)],
      truth: [version(5, { by: 'w1' }), version(6, { by: 'w2' })],
      broken: [],
    },
    {
      name: 'an acknowledged write that is not there',
      calls: [write('w1', done(5))],
      truth: [],
      broken: ['an acknowledged write is there'],
    },
    {
      name: "an acknowledged write where another's is",
      calls: [write('w1', done(5)), write('w2', unknown)],
      truth: [version(5, { by: 'w2' })],
      broken: ['an acknowledged write is there'],
    },
    {
      name: 'a write that was tried again blindly',
      calls: [write('w1', unknown), write('w2', done(6))],
      truth: [version(5, { by: 'w1' }), version(6, { by: 'w2' }), version(7, { by: 'w1' })],
      broken: ['a write happens once'],
    },
    {
      name: 'a refused write that was done',
      calls: [write('w1', refused)],
      truth: [version(5, { by: 'w1' })],
      broken: ['a refused write changes nothing'],
    },
    {
      name: 'one refused write among several that was done',
      calls: [
        write('w1', { type: 'written', at: [{ key, revision: 5n }, undefined] }, [change(), change({ key: other })]),
      ],
      truth: [version(5, { by: 'w1' }), version(5, { key: other, by: 'w1' })],
      broken: ['a refused write changes nothing'],
    },
    {
      name: 'a write that nobody asked for',
      calls: [],
      truth: [version(5, { by: 'w1' })],
      broken: ['what is stored was asked for'],
    },
    {
      name: 'half a transaction, of which nobody was told',
      calls: [write('w1', unknown, [change(), change({ key: other })], true)],
      truth: [version(5, { by: 'w1' })],
      broken: ['a transaction is done whole or not at all'],
    },
    {
      name: 'a transaction in two pieces',
      calls: [write('w1', unknown, [change(), change({ key: other })], true)],
      truth: [version(5, { by: 'w1' }), version(6, { key: other, by: 'w1' })],
      broken: ['a transaction is done whole or not at all'],
    },
    {
      name: 'a compare-and-swap that overwrote another',
      calls: [write('w1', done(5)), write('w2', done(6)), write('w3', done(7), [change({ expected: 5n })])],
      truth: [version(5, { by: 'w1' }), version(6, { by: 'w2' }), version(7, { by: 'w3' })],
      broken: ['a compare-and-swap replaces the version that it saw'],
    },
    {
      name: 'a lost update',
      calls: [write('w0', done(5)), write('w1', done(6), increment), write('w2', done(7), increment)],
      truth: [version(5, { by: 'w0' }), version(6, { by: 'w1', count: 1 }), version(7, { by: 'w2', count: 1 })],
      broken: ['a compare-and-swap replaces the version that it saw', 'no update is lost', 'no update is lost'],
    },
    {
      name: 'an increment that was acknowledged and is not there',
      calls: [write('w0', done(5)), write('w1', done(6), increment)],
      truth: [version(5, { by: 'w0' })],
      broken: ['an acknowledged write is there', 'no update is lost'],
    },
    {
      name: 'a status that is written beside the object',
      calls: [write('w1', done(5)), write('w2', done(6), [change({ effect: 'status' })])],
      truth: [version(5, { by: 'w1' }), version(6, { by: 'w1', statusBy: 'w2' })],
      broken: [],
    },
    {
      name: 'deletions that were asked for',
      calls: [
        write('w1', done(5)),
        write('d1', done(6), [change({ effect: 'deletion' })]),
        write('d2', unknown, [change({ effect: 'deletion' })]),
      ],
      truth: [version(5, { by: 'w1' }), version(6, { gone: true }), version(7), version(8, { gone: true })],
      broken: [],
    },
    {
      name: 'a deletion that nobody asked for, and one of which two were told',
      calls: [
        write('d1', done(6), [change({ effect: 'deletion' })]),
        write('d2', done(6), [change({ effect: 'deletion' })]),
      ],
      truth: [version(5), version(6, { gone: true }), version(7), version(8, { gone: true })],
      broken: ['a write happens once', 'what is stored was asked for'],
    },
  ])('$name', ({ calls, truth, broken }) => expect(promises(checkWrites(calls, truth))).toEqual(broken));
});

describe('reads', () => {
  const truth = [
    version(5, { by: 'w1' }),
    version(8, { by: 'w2' }),
    version(10, { gone: true, by: 'w2' }),
    version(12, { by: 'w3' }),
  ];
  const get = (...objects: Version[]) => call('r', { type: 'get', key }, { type: 'read', revision: 0n, objects });
  const list = (revision: number, objects: Version[], color = '') =>
    call(
      'r',
      { type: 'list', selection: { kind: 'configmaps', namespace: '', color } },
      { type: 'read', revision: BigInt(revision), objects },
    );
  const stale = 'a read is as new as etcd';
  const wrong = 'a list is what there was at its revision';
  test.each<{ name: string; before: number; read: () => Call; broken: string[] }>([
    { name: 'what there is', before: 8, read: () => get(version(8, { by: 'w2' })), broken: [] },
    { name: 'what came since', before: 8, read: () => get(version(12, { by: 'w3' })), broken: [] },
    { name: 'nothing, as it went since', before: 8, read: () => get(), broken: [] },
    { name: 'what was replaced before', before: 8, read: () => get(version(5, { by: 'w1' })), broken: [stale] },
    { name: 'what was deleted before', before: 10, read: () => get(version(8, { by: 'w2' })), broken: [stale] },
    { name: 'nothing, although it was made before', before: 12, read: () => get(), broken: [stale] },
    { name: 'what never was', before: 5, read: () => get(version(6)), broken: [stale] },
    { name: 'other content', before: 8, read: () => get(version(8, { by: 'w1' })), broken: [stale] },
    { name: 'a list', before: 8, read: () => list(9, [version(8, { by: 'w2' })]), broken: [] },
    { name: 'an old list', before: 8, read: () => list(7, [version(5, { by: 'w1' })]), broken: [stale] },
    {
      name: 'a list that mixes revisions',
      before: 8,
      read: () => list(9, [version(5, { by: 'w1' })]),
      broken: [wrong],
    },
    { name: 'a list that lacks something', before: 8, read: () => list(9, []), broken: [wrong] },
    {
      name: 'a list with something that went',
      before: 8,
      read: () => list(11, [version(8, { by: 'w2' })]),
      broken: [wrong],
    },
    { name: 'a list of what is blue', before: 8, read: () => list(9, [], 'blue'), broken: [] },
  ])('$name', ({ before, read, broken }) => {
    const earlier = write('w', done(before));
    expect(promises(checkReads([earlier, read()], truth))).toEqual(broken);
  });

  test('what was answered while the read was under way binds it not', () => {
    const read = { ...get(version(5, { by: 'w1' })), began: 1, ended: 10 };
    const during = { ...write('w', done(8)), began: 2, ended: 3 };
    expect(checkReads([read, during], truth)).toEqual([]);
  });

  test('a write has a later revision than all that was answered before it', () => {
    const earlier = write('w1', done(8));
    expect(promises(checkReads([earlier, write('w2', done(8))], []))).toEqual(['revisions follow time']);
    expect(promises(checkReads([earlier, write('w2', done(9))], []))).toEqual([]);
  });

  test('a sum that does not come out', () => {
    const half = [version(5, { count: 90 }), version(6, { key: other, count: 100 })];
    const read = call(
      'r',
      { type: 'list', selection: { kind: '', namespace: '', color: 'red' } },
      { type: 'read', revision: 6n, objects: half },
    );
    expect(promises(checkReads([read], half, { color: 'red', sum: 200 }))).toEqual(['a transaction is seen whole']);
  });
});

const seen = (type: Seen['type'], object: Version): Seen => ({ type, object });

describe('watches', () => {
  const blue = { color: 'blue' };
  const truth = [
    version(5),
    version(7, { by: 'x' }),
    version(7, { key: other }),
    version(8, blue),
    version(9, { key: other, gone: true }),
    version(11),
  ];
  const asked = (after: number): WatchEntry => ({ type: 'asked', after: BigInt(after) });
  const told = (revision: number, ...events: Seen[]): WatchEntry => ({
    type: 'told',
    revision: BigInt(revision),
    initial: false,
    events,
  });
  const seven = told(7, seen('modified', version(7, { by: 'x' })), seen('added', version(7, { key: other })));
  const eight = told(8, seen('modified', version(8, blue)));
  const nine = told(9, seen('deleted', version(9, { key: other })));
  const eleven = told(11, seen('modified', version(11)));
  const everything = 'a watch tells everything';
  const whole = 'a watch tells each revision whole';
  const order = 'a watch tells everything once, in order';
  const anew: WatchEntry = {
    type: 'told',
    revision: 8n,
    initial: true,
    events: [seen('added', version(8, blue)), seen('added', version(7, { key: other }))],
  };
  test.each<{ name: string; entries: WatchEntry[]; broken: string[]; color?: string }>([
    { name: 'all of it', entries: [asked(5), seven, eight, told(8), nine, eleven, told(12)], broken: [] },
    {
      name: 'with a cut, going on where it was',
      entries: [asked(5), seven, asked(7), eight, nine, asked(9), eleven, told(12)],
      broken: [],
    },
    {
      name: 'resumed one revision late',
      entries: [asked(5), seven, asked(7), nine, eleven, told(12)],
      broken: [everything],
    },
    {
      name: 'going on elsewhere than where it was',
      entries: [asked(5), seven, asked(8), nine, eleven, told(12)],
      broken: ['a watch goes on where it was'],
    },
    { name: 'a revision left out', entries: [asked(5), seven, nine, eleven, told(12)], broken: [everything] },
    {
      name: 'a bookmark past what was not told',
      entries: [asked(5), seven, eight, told(12)],
      broken: [everything, everything],
    },
    { name: 'the end left out', entries: [asked(5), seven, eight, nine], broken: [everything] },
    { name: 'a revision twice', entries: [asked(5), seven, seven, eight, nine, eleven, told(12)], broken: [order] },
    { name: 'out of order', entries: [asked(5), seven, nine, eight, eleven, told(12)], broken: [everything, order] },
    {
      name: 'a bookmark that goes back',
      entries: [asked(5), seven, eight, told(7), nine, eleven, told(12)],
      broken: [order],
    },
    {
      name: 'half a revision',
      entries: [asked(5), told(7, seen('modified', version(7, { by: 'x' }))), eight, nine, eleven, told(12)],
      broken: [whole],
    },
    {
      name: 'other content',
      entries: [asked(5), seven, told(8, seen('modified', version(8))), nine, eleven, told(12)],
      broken: [whole],
    },
    {
      name: 'another kind of change',
      entries: [asked(5), seven, eight, told(9, seen('modified', version(9, { key: other }))), eleven, told(12)],
      broken: [whole],
    },
    {
      name: 'a change that never was',
      entries: [asked(5), seven, eight, nine, told(10, seen('modified', version(10))), eleven, told(12)],
      broken: [whole],
    },
    {
      name: 'through a selector',
      color: 'red',
      entries: [
        asked(5),
        seven,
        told(8, seen('deleted', version(8, { by: 'x' }))),
        nine,
        told(11, seen('added', version(11))),
        told(12),
      ],
      broken: [],
    },
    {
      name: 'a departure from the selector untold',
      color: 'red',
      entries: [asked(5), seven, nine, told(11, seen('added', version(11))), told(12)],
      broken: [everything],
    },
    { name: 'from what there is', entries: [asked(0), anew, told(8), nine, eleven, told(12)], broken: [] },
    {
      name: 'from less than there is',
      entries: [asked(0), { ...anew, events: anew.events.slice(1) }, told(8), nine, eleven, told(12)],
      broken: ['a watch begins with what there is'],
    },
    {
      name: 'expired without need',
      entries: [asked(5), seven, { type: 'expired', newest: 11n }, asked(0), anew, told(8), nine, eleven, told(12)],
      broken: ['history is kept'],
    },
    {
      name: 'expired after long',
      entries: [asked(5), seven, { type: 'expired', newest: 9_000n }, asked(0), anew, told(8), nine, eleven, told(12)],
      broken: [],
    },
  ])('$name', ({ entries, broken, color = '' }) => {
    const record = { name: 'w', selections: [{ kind: '', namespace: '', color }], entries };
    expect(promises(checkWatch(record, truth, 12n))).toEqual(broken);
  });
});

describe('informers', () => {
  const truth = [
    version(5),
    version(7, { count: 1 }),
    version(8, { key: other }),
    version(9, { key: other, gone: true }),
  ];
  const sound: InformerRecord = {
    name: 'i',
    kinds: ['configmaps', 'pods'],
    changes: [
      seen('added', version(5)),
      seen('modified', version(7, { count: 1 })),
      seen('added', version(8, { key: other })),
      seen('deleted', version(9, { key: other })),
    ],
    held: [version(7, { count: 1 })],
    sums: [{ revision: 7n, sum: 1 }],
  };
  const rest = 'at rest an informer shows what etcd has';
  const fit = 'an informer tells changes that fit together';
  test.each<{ name: string; over: Partial<InformerRecord>; broken: string[] }>([
    { name: 'sound', over: {}, broken: [] },
    {
      name: 'a change that passed by unseen is no harm',
      over: { changes: [seen('added', version(7, { count: 1 }))] },
      broken: [],
    },
    { name: 'an old object in the cache', over: { held: [version(5)] }, broken: [rest] },
    {
      name: 'an object in the cache that is gone',
      over: { held: [...sound.held, version(8, { key: other })] },
      broken: [rest],
    },
    { name: 'the last change untold', over: { changes: sound.changes.slice(0, 3) }, broken: [rest] },
    {
      name: 'going back',
      over: { changes: [...sound.changes.slice(0, 2), seen('modified', version(5)), ...sound.changes.slice(1)] },
      broken: ['an informer never goes back'],
    },
    { name: 'added twice', over: { changes: [seen('added', version(5)), ...sound.changes] }, broken: [fit] },
    { name: 'half a transaction', over: { sums: [{ revision: 7n, sum: 2 }] }, broken: ['a transaction is seen whole'] },
  ])('$name', ({ over, broken }) => {
    expect(promises(checkInformer({ ...sound, ...over }, truth, 1))).toEqual(broken);
  });
});
