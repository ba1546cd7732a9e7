import { type Clock, onAbort } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import { Form } from '@navarch/proto';
import type { CachedObject, Change, ChangeSet } from '../cache/cached-object.ts';
import { historyGone, type ObjectCache } from '../cache/object-cache.ts';
import {
  added,
  deleted,
  eventSize,
  type EventType,
  modified,
  type WireEvent,
  type WireWatch,
} from '../wire/responses.ts';
import type { Selection } from './selection.ts';

/** A response of the initial state holds about this many bytes. */
const initialChunkBytes = 256 * 1024;

/**
 * One reader's way through the history: WatchResponses, one for each revision that concerns it. It holds no
 * queue, only a position, and is cut off when the history has moved past it.
 */
export class Watcher {
  readonly #cache: ObjectCache;
  readonly #selections: readonly Selection[];
  readonly #form: Form;
  readonly #clock: Clock;
  readonly #bookmarkMs: number;
  #epoch: number;
  #position: number;
  #told: bigint;
  #silent = true;
  #initial: Generator<WireWatch, void, void> | undefined;

  /** `after` 0n begins with everything there is. Throws Expired when the history after `after` is gone. */
  constructor(options: {
    cache: ObjectCache;
    selections: readonly Selection[];
    after: bigint;
    form?: Form;
    clock: Clock;
    bookmarkMs?: number;
  }) {
    const { cache, selections, after } = options;
    this.#cache = cache;
    this.#selections = selections;
    this.#form = options.form ?? Form.FULL;
    this.#clock = options.clock;
    this.#bookmarkMs = options.bookmarkMs ?? 1000;
    this.#epoch = cache.epoch;
    this.#told = after;
    if (after === 0n) {
      this.#position = cache.history.end;
      this.#initial = initialState(cache, selections, this.#form);
      return;
    }
    const position = after > cache.revision ? undefined : cache.history.positionAfter(after);
    if (position === undefined) throw historyGone(after);
    this.#position = position;
  }

  /** The next response, or undefined when there is nothing to say just now. */
  take(): WireWatch | undefined {
    if (this.#initial !== undefined) {
      const { value } = this.#initial.next();
      if (value !== undefined) return value;
      this.#initial = undefined;
    }
    if (this.#epoch !== this.#cache.epoch) throw historyGone(this.#told);
    for (;;) {
      const set = this.#cache.history.at(this.#position);
      if (set === undefined) return undefined;
      if (set === 'overtaken') {
        throw new ApiError(
          'Expired',
          `the reader is too slow: changes after revision ${this.#told} are no longer kept; list again`,
        );
      }
      this.#position++;
      const events = this.#eventsOf(set);
      if (events.length === 0) continue;
      this.#told = set.revision;
      return { revision: set.revision, events, initial: false };
    }
  }

  /**
   * The next response, waiting for it: a bookmark when nothing concerns the reader for a while, and at once when there is
   * nothing to say at the beginning. Rejects with the signal's reason.
   */
  async next(signal: AbortSignal): Promise<WireWatch> {
    let due = this.#silent;
    let wake = () => {};
    using _change = this.#cache.onChange(
      this.#selections.map(({ kind }) => kind),
      () => wake(),
    );
    using _timer = this.#clock.timer(this.#bookmarkMs, () => {
      due = true;
      wake();
    });
    using _abort = onAbort(signal, () => wake());
    for (;;) {
      signal.throwIfAborted();
      const response = this.take() ?? (due ? this.#bookmark() : undefined);
      if (response !== undefined) {
        this.#silent = false;
        return response;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      await promise;
    }
  }

  /** Says how far the reader has everything. */
  #bookmark(): WireWatch {
    this.#told = this.#cache.revision;
    return { revision: this.#told, events: [], initial: false };
  }

  #eventsOf(set: ChangeSet): WireEvent[] {
    const events: WireEvent[] = [];
    for (const change of set.changes) {
      const concerned = this.#selections.filter(({ kind }) => kind.place === change.kind.place);
      const [first] = concerned;
      if (first === undefined) continue;
      const type = seenThrough(concerned, change);
      if (type !== undefined) events.push(change.inKind(first.kind).event(type, this.#form));
    }
    return events;
  }
}

/** What a change looks like to one who sees only what is selected. */
function seenThrough(selections: readonly Selection[], { before, after }: Change): EventType | undefined {
  const was = before !== undefined && selections.some((selection) => selection.matches(before));
  const is = after !== undefined && selections.some((selection) => selection.matches(after));
  if (is) return was ? modified : added;
  return was ? deleted : undefined;
}

function initialState(
  cache: ObjectCache,
  selections: readonly Selection[],
  form: Form,
): Generator<WireWatch, void, void> {
  const { revision } = cache;
  const objects = new Set(
    selections.flatMap((selection) =>
      [...cache.list(selection.kind, selection.namespace)].filter((object) => selection.matches(object)),
    ),
  );
  return chunks(objects, revision, form);
}

/** Ends with a response that is not initial: from there on the revision counts. */
function* chunks(objects: Iterable<CachedObject>, revision: bigint, form: Form): Generator<WireWatch, void, void> {
  let events: WireEvent[] = [];
  let bytes = 0;
  for (const object of objects) {
    const event = { type: added, resource: object.as(form) };
    events.push(event);
    bytes += eventSize(event);
    if (bytes < initialChunkBytes) continue;
    yield { revision, events, initial: true };
    events = [];
    bytes = 0;
  }
  if (events.length > 0) yield { revision, events, initial: true };
  yield { revision, events: [], initial: false };
}
