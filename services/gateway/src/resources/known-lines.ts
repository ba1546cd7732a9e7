/** What is kept at most: lines of the newest events, which many watchers are told at about the same time. */
const mostBytes = 2 * 1024 * 1024;

/**
 * The newest lines that were written, by what they were written from: of many watchers who are told the same, the first one
 * pays for the JSON. Bounded by the bytes of its keys and lines; what came first goes first.
 */
export class KnownLines {
  readonly #lines = new Map<string, Buffer>();
  #bytes = 0;

  /** The line that an encoded object makes in a form, which `write` writes where it is not known. */
  line(form: string, bytes: Buffer, start: number, end: number, write: () => Buffer): Buffer {
    const key = form + bytes.toString('latin1', start, end);
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const line = write();
    this.#lines.set(key, line);
    this.#bytes += key.length + line.length;
    for (const [oldest, old] of this.#lines) {
      if (this.#bytes <= mostBytes) break;
      this.#lines.delete(oldest);
      this.#bytes -= oldest.length + old.length;
    }
    return line;
  }
}
