import type { Clock } from '@navarch/kit';
import type { ClusterState } from '../cluster-state.ts';
import type { Profile } from '../profiles.ts';
import type { GangBook } from './book.ts';
import { companyOf } from './company.ts';
import type { Group } from './group.ts';
import { type GangPlan, planFor } from './plan.ts';
import { waitsSince, type Why } from './status.ts';
import { type InLine, inOrder, usage } from './turns.ts';

/** No more of those in front of a group than this are tried before their time because the group is tried. */
const mostAhead = 16;

export interface AgendaOptions {
  readonly clock: Clock;
  readonly state: ClusterState;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly seed: () => number;
}

/** What a plan for a group needs to know besides the group: who else waits, and what was found at their last attempts. */
export class Agenda {
  readonly #options: AgendaOptions;
  readonly #book: GangBook;
  readonly #waits = new Map<string, { readonly why: Why; readonly couldGo: boolean }>();

  constructor(options: AgendaOptions, book: GangBook) {
    this.#options = options;
    this.#book = book;
  }

  /** An attempt came to this. `couldGo` as in InLine. */
  waits(key: string, why: Why, couldGo: boolean): void {
    this.#waits.set(key, { why, couldGo });
  }

  waitsNoMore(key: string): void {
    this.#waits.delete(key);
  }

  why(key: string): Why | undefined {
    return this.#waits.get(key)?.why;
  }

  /** The groups in front of it in its line, the first first. */
  ahead(group: Group): readonly string[] {
    const self = this.#inLine(group);
    return this.#others(group)
      .filter((other) => inOrder(other, self) < 0)
      .toSorted(inOrder)
      .slice(0, mostAhead)
      .map((other) => other.group.key);
  }

  /** What is to be done for a group that is ready, as things are. */
  plan(group: Group): GangPlan {
    const { state, profiles, clock, seed } = this.#options;
    const { queue } = group.object.spec;
    const profile = profiles.get(group.waiting[0]?.schedulerName ?? '');
    if (profile === undefined) throw new Error(`group ${group.key} has no member for this scheduler`);
    const inLine = this.#book.inLine(queue);
    const waiting = group.waiting.map((member) => state.withClaims(member));
    return planFor(
      { ...this.#inLine(group), group: { ...group, waiting } },
      {
        snapshot: state.snapshot,
        profile,
        line: this.#book.line(queue),
        inLine,
        others: this.#others(group),
        used: usage(inLine),
        budgets: state.budgets,
        company: (victims, leaving) => companyOf(this.#book, state.snapshot, group.priority, leaving)(victims),
        seed: seed(),
        now: clock.now(),
      },
    );
  }

  #others({ key, object }: Group): readonly InLine[] {
    return this.#book
      .inLine(object.spec.queue)
      .filter((other) => other.ready && other.key !== key)
      .map((other) => this.#inLine(other));
  }

  #inLine(group: Group): InLine {
    const sinceMs = waitsSince(group, this.#options.clock.now());
    return { group, sinceMs, couldGo: this.#waits.get(group.key)?.couldGo ?? true };
  }
}
