import type { Call, Truth, Version, Violation } from './history.ts';
import { selects, stateAt, versionsByKey } from './history.ts';

/**
 * Whatever was answered before a call began is the past for that call: a write gets a later revision, and a read shows no
 * older state. A list is exactly what there was at its revision.
 */
export function checkReads(calls: readonly Call[], truth: Truth, total?: { color: string; sum: number }): Violation[] {
  const newestBefore = answers(calls);
  const byKey = versionsByKey(truth);
  const found: Violation[] = [];
  for (const call of calls) {
    const { question, outcome } = call;
    const before = newestBefore(call.began);
    const earlier = before.call === undefined ? [call] : [before.call, call];
    if (outcome.type === 'written') {
      for (const at of outcome.at) {
        if (at === undefined || at.revision > before.revision) continue;
        const what = `it was answered with revision ${at.revision}, but ${before.revision} had been answered before it began`;
        found.push({ promise: 'revisions follow time', what, calls: earlier });
      }
    }
    if (outcome.type !== 'read') continue;
    if (question.type === 'get') {
      const what = staleness(byKey.get(question.key) ?? [], outcome.objects[0], before.revision);
      if (what !== undefined) found.push({ promise: 'a read is as new as etcd', what, calls: earlier });
    }
    if (question.type === 'list') {
      if (outcome.revision < before.revision) {
        const what = `the list is of revision ${outcome.revision}, but ${before.revision} had been answered before it began`;
        found.push({ promise: 'a read is as new as etcd', what, calls: earlier });
      }
      const there = [...stateAt(truth, outcome.revision).values()].filter((v) => selects([question.selection], v));
      const what = difference(there, outcome.objects);
      if (what !== undefined) found.push({ promise: 'a list is what there was at its revision', what, calls: [call] });
      if (total !== undefined && question.selection.color === total.color) {
        const sum = outcome.objects.reduce((all, { count }) => all + count, 0);
        if (sum !== total.sum) {
          const wrong = `the accounts at revision ${outcome.revision} hold ${sum}, not ${total.sum}`;
          found.push({ promise: 'a transaction is seen whole', what: wrong, calls: [call] });
        }
      }
    }
  }
  return found;
}

/** What the newest revision was that anybody had been answered with at a moment, and in which call. */
function answers(calls: readonly Call[]): (moment: number) => { revision: bigint; call: Call | undefined } {
  const ends: { ended: number; revision: bigint; call: Call }[] = [];
  let newest = 0n;
  for (const call of calls.toSorted((a, b) => a.ended - b.ended)) {
    const revision = revisionIn(call);
    if (revision <= newest) continue;
    newest = revision;
    ends.push({ ended: call.ended, revision, call });
  }
  return (moment) => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle]?.ended ?? Infinity) < moment) low = middle + 1;
      else high = middle;
    }
    const last = ends[low - 1];
    return { revision: last?.revision ?? 0n, call: last?.call };
  };
}

function revisionIn({ outcome }: Call): bigint {
  if (outcome.type === 'written') return max(outcome.at.map((at) => at?.revision ?? 0n));
  if (outcome.type === 'read') return max([outcome.revision, ...outcome.objects.map(({ revision }) => revision)]);
  return 0n;
}

function max(revisions: readonly bigint[]): bigint {
  return revisions.reduce((most, each) => (each > most ? each : most), 0n);
}

/** Why what a get showed of a key was not there at `newest` or later; undefined when it was. */
function staleness(versions: readonly Version[], shown: Version | undefined, newest: bigint): string | undefined {
  if (shown === undefined) {
    const absent = [undefined, ...versions].some((version, i) => {
      const next = versions[i];
      return (version === undefined || version.gone) && (next === undefined || next.revision > newest);
    });
    if (absent) return undefined;
    return `it found nothing, but etcd had the object at revision ${newest}, which had been answered before, and ever since`;
  }
  const index = versions.findIndex(({ revision }) => revision === shown.revision);
  const version = versions[index];
  if (version === undefined || version.gone) return `it showed revision ${shown.revision}, which etcd never had`;
  if (!sameMarks(version, shown))
    return `it showed ${marks(shown)} at revision ${shown.revision}; etcd has ${marks(version)}`;
  const next = versions[index + 1];
  if (next === undefined || next.revision > newest) return undefined;
  return `it showed revision ${shown.revision}, which revision ${next.revision} had replaced; ${newest} had been answered before`;
}

/** What two sets of objects do not have in common, in words; undefined when they are the same. */
export function difference(expected: Iterable<Version>, shown: Iterable<Version>): string | undefined {
  const rest = new Map([...shown].map((version) => [version.key, version]));
  for (const version of expected) {
    const other = rest.get(version.key);
    rest.delete(version.key);
    if (other === undefined) return `${version.key} at revision ${version.revision} is missing`;
    if (other.revision !== version.revision) {
      return `${version.key} is shown at revision ${other.revision} instead of ${version.revision}`;
    }
    if (!sameMarks(version, other)) return `${version.key} is shown ${marks(other)} instead of ${marks(version)}`;
  }
  const [extra] = rest.values();
  return extra === undefined ? undefined : `${extra.key} at revision ${extra.revision} does not belong there`;
}

export function sameMarks(a: Version, b: Version): boolean {
  return a.by === b.by && a.statusBy === b.statusBy && a.count === b.count && a.color === b.color;
}

function marks({ by, statusBy, count, color }: Version): string {
  return `as written by ${by || 'nobody'} (status by ${statusBy || 'nobody'}, number ${count}, color ${color || 'none'})`;
}
