import type { ObjectKey } from '@navarch/machinery';
import type { CachedObject } from '../cache/cached-object.ts';
import type { Selection } from './selection.ts';

/** A list's answer ends about here, whatever its limit, and says how to go on: gRPC messages must not be larger than 64 MiB. */
const maxBytes = 32 * 1024 * 1024;

/** The selected ones of the objects that are offered in order, up to a limit (0 for none). */
export class Page {
  readonly #selection: Selection;
  readonly #limit: number;
  readonly #items: CachedObject[] = [];
  #bytes = 0;
  #more = false;

  constructor(selection: Selection, limit: number) {
    this.#selection = selection;
    this.#limit = limit;
  }

  get items(): readonly CachedObject[] {
    return this.#items;
  }

  /** The object after which the list goes on; undefined when it does not. */
  get next(): ObjectKey | undefined {
    const last = this.#more ? this.#items.at(-1) : undefined;
    return last && { namespace: last.namespace, name: last.name };
  }

  /** False when the page is full and has not taken the object. */
  offer(object: CachedObject): boolean {
    if (!this.#selection.matches(object)) return true;
    if ((this.#limit > 0 && this.#items.length === this.#limit) || this.#bytes >= maxBytes) {
      this.#more = true;
      return false;
    }
    this.#items.push(object);
    this.#bytes += object.wire.length;
    return true;
  }
}
