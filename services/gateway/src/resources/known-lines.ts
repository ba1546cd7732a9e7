/** What is kept at most: lines of the newest events, which many watchers are told at about the same time. */
const mostBytes = 2 * 1024 * 1024;
/** In so many bytes, two events that differ mostly differ: they hold the revision, the name and the uid. */
const markBytes = 128;

interface KnownLine {
  /** What it was written from. */
  readonly of: Buffer;
  readonly line: Buffer;
}

/**
 * The newest lines that were written, with what they were written from: of many watchers who are told the same, the first one
 * pays for the JSON. Bounded by the bytes of both; what came first goes first. A line is found by a mark of its first bytes, and
 * given only where all bytes are the same; of two with one mark the newer one stays.
 */
export class KnownLines {
  readonly #lines = new Map<string, KnownLine>();
  #bytes = 0;

  /** The line that an encoded object makes in a form, which `write` writes where it is not known. */
  line(form: string, bytes: Buffer, start: number, end: number, write: () => Buffer): Buffer {
    const key = `${form}${markOf(bytes, start, end)}`;
    const known = this.#lines.get(key);
    if (known?.of.compare(bytes, start, end) === 0) return known.line;
    if (known !== undefined) this.#forget(key, known);
    // Not a view: it would keep the whole message that the object came in.
    const made = { of: Buffer.from(bytes.subarray(start, end)), line: write() };
    this.#lines.set(key, made);
    this.#bytes += made.of.length + made.line.length;
    for (const [oldest, old] of this.#lines) {
      if (this.#bytes <= mostBytes) break;
      this.#forget(oldest, old);
    }
    return made.line;
  }

  #forget(key: string, { of, line }: KnownLine): void {
    this.#lines.delete(key);
    this.#bytes -= of.length + line.length;
  }
}

/** FNV-1a of the first bytes, and how many there are in all. */
function markOf(bytes: Buffer, start: number, end: number): string {
  let hash = 0x811c9dc5;
  const last = Math.min(end, start + markBytes);
  for (let at = start; at < last; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return `${hash >>> 0}/${end - start}`;
}
