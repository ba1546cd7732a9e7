import type { WatchEvent } from '@navarch/proto';

/** A ChangeBatch and the subject it came on: every change there in (previous, revision]. */
export interface FeedBatch {
  readonly subject: string;
  readonly revision: bigint;
  readonly previous: bigint;
  readonly events: readonly WatchEvent[];
}

export interface Bookmark {
  readonly previous: bigint;
  readonly revision: bigint;
  readonly heads: ReadonlyMap<string, bigint>;
}

/** All changes of one revision. */
export interface RevisionChanges {
  readonly revision: bigint;
  readonly events: readonly WatchEvent[];
}

/** What can be done with what the feed has brought so far, for a reader that knows everything up to a position. */
export type FeedStep =
  /** Everything up to `revision` is here: `changes` bring the reader there, in order. */
  | { readonly type: 'complete'; readonly revision: bigint; readonly changes: readonly RevisionChanges[] }
  /** A bookmark tells of batches that have not come (yet). */
  | { readonly type: 'incomplete' }
  /** Bookmarks are missing: the feed cannot lead on from the position. */
  | { readonly type: 'hole' }
  /** Nothing is known beyond the position. */
  | { readonly type: 'nothing' };

/** Batches that may wait for a bookmark. A reader that needs more has fallen behind and asks the api instead. */
const maxWaitingBatches = 8192;

/**
 * Puts the change feed's messages, which may be lost, late or doubled, together to complete revisions. Pure bookkeeping:
 * no I/O, no time.
 *
 * Bookmarks are joined to one span (previous, revision] for as long as they follow one another. The span leads on from a
 * position inside it once every subject's batches up to the span's heads form a chain from that position.
 */
export class FeedAssembler {
  readonly #wanted: (subject: string) => boolean;
  readonly #batches = new Map<string, FeedBatch[]>();
  #waiting = 0;
  #span: { previous: bigint; revision: bigint; heads: Map<string, bigint> } | undefined;

  /** `wanted` tells the reader's subjects among all that bookmarks name. */
  constructor(wanted: (subject: string) => boolean) {
    this.#wanted = wanted;
  }

  get waiting(): number {
    return this.#waiting;
  }

  addBatch(batch: FeedBatch): void {
    const list = this.#batches.get(batch.subject) ?? [];
    if (list.length === 0) this.#batches.set(batch.subject, list);
    let at = list.length;
    while (at > 0 && (list[at - 1]?.revision ?? 0n) > batch.revision) at--;
    const same = list[at - 1];
    if (same?.revision === batch.revision) {
      // Two publishers may tell of one revision; the one that looks further back knows more.
      if (batch.previous < same.previous) list[at - 1] = batch;
      return;
    }
    list.splice(at, 0, batch);
    // What is forgotten here shows as a hole in the chain.
    if (++this.#waiting > maxWaitingBatches) this.clear();
  }

  addBookmark({ previous, revision, heads }: Bookmark): void {
    const span = this.#span;
    if (span !== undefined && revision <= span.revision) return;
    const wanted = [...heads].filter(([subject]) => this.#wanted(subject));
    if (span === undefined || previous > span.revision) {
      this.#span = { previous, revision, heads: new Map(wanted) };
      return;
    }
    span.revision = revision;
    if (previous < span.previous) span.previous = previous;
    for (const [subject, head] of wanted) span.heads.set(subject, head);
  }

  /** The next step from `position`. What is complete, or no longer needed, is forgotten here. */
  next(position: bigint): FeedStep {
    this.#forget(position);
    const span = this.#span;
    if (span === undefined || span.revision < position) return { type: 'nothing' };
    if (span.previous > position) return { type: 'hole' };
    for (const [subject, head] of span.heads) {
      if (head > position && !this.#reaches(subject, head, position)) return { type: 'incomplete' };
    }
    const changes = joinByRevision(this.#batches.values(), position, span.revision);
    this.#span = undefined;
    this.#forget(span.revision);
    return { type: 'complete', revision: span.revision, changes };
  }

  clear(): void {
    this.#batches.clear();
    this.#waiting = 0;
    this.#span = undefined;
  }

  #reaches(subject: string, head: bigint, position: bigint): boolean {
    let known = position;
    for (const batch of this.#batches.get(subject) ?? []) {
      if (known >= head) break;
      if (batch.previous > known) return false;
      known = batch.revision;
    }
    return known >= head;
  }

  #forget(position: bigint): void {
    for (const [subject, list] of this.#batches) {
      const kept = list.findIndex(({ revision }) => revision > position);
      const gone = kept < 0 ? list.length : kept;
      if (gone === 0) continue;
      this.#waiting -= gone;
      if (gone === list.length) this.#batches.delete(subject);
      else list.splice(0, gone);
    }
  }
}

/** The changes in (position, end], of all subjects. Batches of one subject may overlap: each change counts once. */
function joinByRevision(
  subjects: Iterable<readonly FeedBatch[]>,
  position: bigint,
  end: bigint,
): readonly RevisionChanges[] {
  const byRevision = new Map<bigint, WatchEvent[]>();
  for (const batches of subjects) {
    let known = position;
    for (const batch of batches) {
      // Another batch covers what this one leads on from, or the subject's head would not have been reached.
      if (batch.previous > known) continue;
      for (const event of batch.events) {
        const revision = event.resource?.revision ?? 0n;
        if (revision <= known || revision > end) continue;
        const joined = byRevision.get(revision);
        if (joined) joined.push(event);
        else byRevision.set(revision, [event]);
      }
      if (batch.revision > known) known = batch.revision;
    }
  }
  return [...byRevision].sort(([a], [b]) => (a < b ? -1 : 1)).map(([revision, events]) => ({ revision, events }));
}
