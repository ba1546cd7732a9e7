import { difference } from './check-reads.ts';
import type { InformerRecord, Seen, Truth, Version, Violation, WatchRecord } from './history.ts';
import { selects, stateAt } from './history.ts';

/** So many revisions a new api knows of the past; a watcher that is further behind may be told to list again. */
const keptRevisions = 1_900n;

/**
 * A watch tells every change after the revision that it was asked for: in order, once, all changes of one revision together, and
 * goes on exactly there after a cut. `end`: what it must have come to at last.
 */
export function checkWatch({ name, selections, entries }: WatchRecord, truth: Truth, end: bigint): Violation[] {
  const found: Violation[] = [];
  const broken = (promise: string, what: string) => found.push({ promise, what: `${name}: ${what}`, calls: [] });
  const expected = eventsByRevision(truth, (version) => selects(selections, version));
  const revisions = [...expected.keys()];
  let position: bigint | undefined;
  let initial: Version[] | undefined;
  let next = 0;

  const missed = (until: bigint) => {
    for (; next < revisions.length && (revisions[next] ?? 0n) <= until; next++) {
      const revision = revisions[next] ?? 0n;
      if (revision <= (position ?? 0n)) continue;
      broken(
        'a watch tells everything',
        `of ${words(expected.get(revision) ?? [])} at revision ${revision} it never heard`,
      );
    }
  };

  for (const entry of entries) {
    if (entry.type === 'asked') {
      initial = entry.after === 0n ? [] : undefined;
      if (entry.after !== 0n && position !== undefined && entry.after !== position) {
        broken('a watch goes on where it was', `it went on after ${entry.after}, but had come to ${position}`);
      }
      position = entry.after;
      next = revisions.findIndex((revision) => revision > entry.after);
      if (next < 0) next = revisions.length;
      continue;
    }
    if (position === undefined) continue;
    if (entry.type === 'expired') {
      if (entry.newest - position < keptRevisions) {
        broken('history is kept', `it was Expired after ${position}, when the newest revision was ${entry.newest}`);
      }
      continue;
    }
    const { revision, events } = entry;
    if (initial !== undefined) {
      initial.push(...events.map(({ object }) => object));
      if (entry.initial) continue;
      const there = [...stateAt(truth, revision).values()].filter((version) => selects(selections, version));
      const what = difference(there, initial);
      if (what !== undefined) broken('a watch begins with what there is', `at revision ${revision} ${what}`);
      initial = undefined;
      position = revision;
      next = revisions.findIndex((each) => each > revision);
      if (next < 0) next = revisions.length;
      continue;
    }
    if (events.length === 0 ? revision < position : revision <= position) {
      broken('a watch tells everything once, in order', `it heard of revision ${revision} after ${position}`);
      continue;
    }
    missed(events.length === 0 ? revision : revision - 1n);
    if (events.length > 0) {
      const what = unlike(expected.get(revision) ?? [], events);
      if (what !== undefined) broken('a watch tells each revision whole', `at revision ${revision} ${what}`);
      if (revisions[next] === revision) next++;
    }
    position = revision;
  }
  if (position === undefined || position < end) {
    broken('a watch tells everything', `it came to revision ${position ?? 'none'}, and etcd to ${end}`);
  }
  return found;
}

/** Each object's changes come in order and fit together, transactions are seen whole, and at rest the caches are etcd. */
export function checkInformer(record: InformerRecord, truth: Truth, sum: number): Violation[] {
  const { name, changes, held, sums, kinds } = record;
  const found: Violation[] = [];
  const broken = (promise: string, what: string) => found.push({ promise, what: `${name}: ${what}`, calls: [] });
  const state = new Map<string, Version>();
  for (const { type, object } of changes) {
    const before = state.get(object.key);
    const what = `${object.key} was ${type} at revision ${object.revision}, after ${before?.revision ?? 'it was not there'}`;
    if ((type === 'added') === (before !== undefined)) broken('an informer tells changes that fit together', what);
    else if (before !== undefined && object.revision <= before.revision && type === 'modified') {
      broken('an informer never goes back', what);
    }
    if (type === 'deleted') state.delete(object.key);
    else state.set(object.key, object);
  }
  for (const each of sums) {
    if (each.sum === sum) continue;
    broken('a transaction is seen whole', `at revision ${each.revision} its accounts held ${each.sum}, not ${sum}`);
  }
  const there = [...stateAt(truth, truth.at(-1)?.revision ?? 0n).values()].filter(({ key }) =>
    kinds.includes(key.split(' ')[0] ?? ''),
  );
  for (const [where, shown] of [
    ['its caches', held],
    ['its handlers', state.values()],
  ] as const) {
    const what = difference(there, shown);
    if (what !== undefined) broken('at rest an informer shows what etcd has', `in ${where} ${what}`);
  }
  return found;
}

/** What one who sees only what is selected hears of at each revision. */
function eventsByRevision(truth: Truth, selected: (version: Version) => boolean): Map<bigint, Seen[]> {
  const events = new Map<bigint, Seen[]>();
  const state = new Map<string, Version>();
  for (const version of truth) {
    const before = state.get(version.key);
    if (version.gone) state.delete(version.key);
    else state.set(version.key, version);
    const was = before !== undefined && selected(before);
    const is = !version.gone && selected(version);
    if (!was && !is) continue;
    const type = is ? (was ? 'modified' : 'added') : 'deleted';
    const list = events.get(version.revision) ?? [];
    // Of what goes, its last state is told.
    list.push({ type, object: type === 'deleted' && before ? { ...before, revision: version.revision } : version });
    events.set(version.revision, list);
  }
  return events;
}

function unlike(expected: readonly Seen[], told: readonly Seen[]): string | undefined {
  const what = difference(
    expected.map(({ object }) => object),
    told.map(({ object }) => object),
  );
  if (what !== undefined) return what;
  if (told.length > expected.length) return `it heard of ${words(told)} instead of ${words(expected)}`;
  for (const { type, object } of expected) {
    const other = told.find((each) => each.object.key === object.key);
    if (other?.type !== type) return `${object.key} was told as ${other?.type ?? 'nothing'} instead of ${type}`;
  }
  return undefined;
}

function words(events: readonly Seen[]): string {
  return events.map(({ type, object }) => `${object.key} ${type}`).join(', ');
}
