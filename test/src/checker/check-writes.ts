import type { Call, Change, Truth, Version, Violation } from './history.ts';
import { versionsByKey } from './history.ts';

/**
 * Every acknowledged write is in etcd's history, once, at the revision that was answered; one that nobody answered is there
 * once or not at all, and whole; one that was refused is not. A write that was conditional on a version directly follows it.
 */
export function checkWrites(calls: readonly Call[], truth: Truth): Violation[] {
  const history = new WriteHistory(calls, truth);
  return [
    ...calls.flatMap((call) => history.checkCall(call)),
    ...history.checkOrigins(),
    ...history.checkDeletions(),
    ...history.checkCounters(),
  ];
}

interface Step {
  readonly version: Version;
  readonly previous: Version | undefined;
}

class WriteHistory {
  readonly #calls: readonly Call[];
  readonly #byId: ReadonlyMap<string, Call>;
  readonly #byKey: ReadonlyMap<string, readonly Version[]>;
  readonly #steps: readonly Step[];
  /** The steps that a call made, by its mark. */
  readonly #written: ReadonlyMap<string, readonly Step[]>;
  readonly #stepAt: ReadonlyMap<string, Step>;

  constructor(calls: readonly Call[], truth: Truth) {
    this.#calls = calls;
    this.#byId = new Map(calls.map((call) => [call.id, call]));
    this.#byKey = versionsByKey(truth);
    this.#steps = [...this.#byKey.values()].flatMap((versions) =>
      versions.map(
        (version, i): Step => ({ version, previous: i === 0 || versions[i - 1]?.gone ? undefined : versions[i - 1] }),
      ),
    );
    this.#written = Map.groupBy(
      this.#steps.filter((step) => markOf(step) !== ''),
      markOf,
    );
    this.#stepAt = new Map(this.#steps.map((step) => [place(step.version.key, step.version.revision), step]));
  }

  checkCall(call: Call): Violation[] {
    const { question, outcome } = call;
    if (question.type !== 'write') return [];
    const steps = this.#written.get(call.id) ?? [];
    const broken = (promise: string, what: string): Violation => ({ promise, what, calls: [call] });
    if (outcome.type === 'refused') {
      return steps.map(({ version }) => broken('a refused write changes nothing', `yet it is ${told(version)}`));
    }
    const found: Violation[] = [];
    for (const [key, many] of Map.groupBy(steps, ({ version }) => version.key)) {
      if (many.length > 1) {
        const places = many.map(({ version }) => version.revision).join(' and ');
        found.push(broken('a write happens once', `${key} was written by it at revisions ${places}`));
      }
    }
    if (outcome.type === 'written') found.push(...this.#checkAnswer(call, question.changes, outcome.at, broken));
    if (question.atomic) {
      const puts = question.changes.filter(({ effect }) => effect !== 'deletion').length;
      const revisions = new Set(steps.map(({ version }) => version.revision));
      if (revisions.size > 1 || (steps.length > 0 && steps.length < puts)) {
        const parts = steps.map(({ version }) => told(version)).join(', ');
        found.push(broken('a transaction is done whole or not at all', `of its ${puts} writes etcd has ${parts}`));
      }
    }
    for (const step of steps) {
      const change = question.changes.find(({ key }) => key === step.version.key);
      found.push(...this.#checkStep(step, change, broken));
    }
    return found;
  }

  /** Every version is somebody's. */
  checkOrigins(): Violation[] {
    return [...this.#written].flatMap(([mark, steps]) =>
      this.#byId.has(mark)
        ? []
        : steps.map(({ version }) => ({
            promise: 'what is stored was asked for',
            what: `${told(version)} bears the mark ${mark}, which no call had`,
            calls: [],
          })),
    );
  }

  /** A deletion leaves no mark: each belongs to one call that was told of it, or to one that was told nothing. */
  checkDeletions(): Violation[] {
    const found: Violation[] = [];
    const told = new Map<string, Call>();
    const silent = new Map<string, Call[]>();
    for (const call of this.#calls) {
      if (call.question.type !== 'write') continue;
      for (const [i, { key, effect }] of call.question.changes.entries()) {
        if (effect !== 'deletion' || key === undefined) continue;
        if (call.outcome.type === 'unknown') silent.set(key, [...(silent.get(key) ?? []), call]);
        const at = call.outcome.type === 'written' ? call.outcome.at[i] : undefined;
        if (at === undefined) continue;
        const where = place(at.key, at.revision);
        const other = told.get(where);
        if (other !== undefined) {
          const what = `both were told that they deleted ${at.key} at revision ${at.revision}`;
          found.push({ promise: 'a write happens once', what, calls: [other, call] });
        }
        told.set(where, call);
      }
    }
    for (const { version } of this.#steps) {
      if (!version.gone || told.has(place(version.key, version.revision))) continue;
      const candidates = silent.get(version.key) ?? [];
      if (candidates.shift() === undefined) {
        const what = `${version.key} went at revision ${version.revision}, and no call explains it`;
        found.push({ promise: 'what is stored was asked for', what, calls: [] });
      }
    }
    return found;
  }

  /** The sum that must come out, whatever the single steps were. */
  checkCounters(): Violation[] {
    const counts = new Map<string, { acknowledged: number; unknown: number; calls: Call[] }>();
    for (const call of this.#calls) {
      if (call.question.type !== 'write') continue;
      for (const { key, increments } of call.question.changes) {
        if (!increments || key === undefined || call.outcome.type === 'refused') continue;
        const count = counts.get(key) ?? { acknowledged: 0, unknown: 0, calls: [] };
        count[call.outcome.type === 'written' ? 'acknowledged' : 'unknown']++;
        count.calls.push(call);
        counts.set(key, count);
      }
    }
    return [...counts].flatMap(([key, { acknowledged, unknown, calls }]) => {
      const final = this.#byKey.get(key)?.at(-1)?.count ?? 0;
      if (final >= acknowledged && final <= acknowledged + unknown) return [];
      const what = `${key} ends at ${final}, with ${acknowledged} increments acknowledged and ${unknown} unknown`;
      const steps = (this.#byKey.get(key) ?? []).map(({ by }) => by);
      const lost = calls.filter(({ id, outcome }) => outcome.type === 'written' && !steps.includes(id));
      return [{ promise: 'no update is lost', what, calls: lost }];
    });
  }

  #checkAnswer(
    call: Call,
    changes: readonly Change[],
    at: readonly ({ key: string; revision: bigint } | undefined)[],
    broken: (promise: string, what: string) => Violation,
  ): Violation[] {
    const found: Violation[] = [];
    for (const [i, { effect }] of changes.entries()) {
      const answer = at[i];
      if (answer === undefined) {
        const done = this.#written.get(call.id)?.find(({ version }) => version.key === changes[i]?.key);
        if (done !== undefined)
          found.push(broken('a refused write changes nothing', `yet it is ${told(done.version)}`));
        continue;
      }
      const step = this.#stepAt.get(place(answer.key, answer.revision));
      const isIt = effect === 'deletion' ? step?.version.gone : step !== undefined && markOf(step) === call.id;
      if (isIt) continue;
      const there = step === undefined ? 'nothing' : told(step.version);
      const what = `etcd has ${there} for ${answer.key} at revision ${answer.revision}`;
      found.push(broken('an acknowledged write is there', what));
    }
    if (call.question.type === 'write' && call.question.atomic && new Set(at.map((each) => each?.revision)).size > 1) {
      const revisions = at.map((each) => String(each?.revision ?? 'none')).join(', ');
      found.push(broken('a transaction is done whole or not at all', `its writes were answered with ${revisions}`));
    }
    return found;
  }

  #checkStep(
    { version, previous }: Step,
    change: Change | undefined,
    broken: (p: string, w: string) => Violation,
  ): Violation[] {
    const found: Violation[] = [];
    const { expected = 0n, increments = false } = change ?? {};
    if (expected !== 0n && previous?.revision !== expected) {
      const what = `${told(version)} was to follow revision ${expected}, and follows ${previous?.revision ?? 'nothing'}`;
      found.push(broken('a compare-and-swap replaces the version that it saw', what));
    }
    if (increments && version.count !== (previous?.count ?? 0) + 1) {
      const what = `${told(version)} holds ${version.count}, and before it there was ${previous?.count ?? 0}`;
      found.push(broken('no update is lost', what));
    }
    return found;
  }
}

/** The call that made a version out of the one before it; '' for a deletion, and for what the checker did not write. */
function markOf({ version, previous }: Step): string {
  if (version.gone) return '';
  if (version.by !== (previous?.by ?? '')) return version.by;
  return version.statusBy === (previous?.statusBy ?? '') ? '' : version.statusBy;
}

function place(key: string, revision: bigint): string {
  return `${key}@${revision}`;
}

function told({ key, revision, gone, by }: Version): string {
  return gone ? `the end of ${key} at revision ${revision}` : `${key} at revision ${revision}, by ${by || 'nobody'}`;
}
