const quote = 0x22;
const backslash = 0x5c;

/** What a byte below 0x20 is in JSON, and the two that must be escaped above it. */
const escapes: readonly (Uint8Array | undefined)[] = Array.from({ length: 0x5d }, (_, byte) =>
  byte < 0x20 || byte === quote || byte === backslash
    ? Buffer.from(JSON.stringify(String.fromCharCode(byte)).slice(1, -1), 'latin1')
    : undefined,
);

/**
 * JSON text as it grows, in UTF-8. Numbers, names and strings go in as bytes, so that a text that arrives encoded is never made a
 * string. `take` gives what there is and begins anew.
 */
export class JsonBuffer {
  #bytes: Buffer;
  #length = 0;

  constructor(size = 4096) {
    this.#bytes = Buffer.allocUnsafe(size);
  }

  get length(): number {
    return this.#length;
  }

  /** One byte of ASCII. */
  byte(byte: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = byte;
  }

  /** Bytes that are JSON already. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#copy(bytes, 0, bytes.length);
  }

  /** A text that is JSON already, in ASCII. */
  ascii(text: string): void {
    this.#room(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length++] = text.charCodeAt(i);
  }

  /** A text that is JSON already. */
  text(text: string): void {
    this.#room(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
  }

  /** The UTF-8 of a text, as a JSON string. */
  string(source: Uint8Array, start: number, end: number): void {
    // At worst each byte becomes six.
    this.#room((end - start) * 6 + 2);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = quote;
    for (let i = start; i < end; i++) {
      const byte = source[i] ?? 0;
      const escape = byte < 0x5d ? escapes[byte] : undefined;
      if (escape === undefined) bytes[at++] = byte;
      else for (const each of escape) bytes[at++] = each;
    }
    bytes[at++] = quote;
    this.#length = at;
  }

  /** Takes back the last byte. */
  back(): void {
    this.#length--;
  }

  /** What was written, in memory of its own. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  /** Forgets all after `length`. */
  cut(length: number): void {
    this.#length = length;
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    const target = this.#bytes;
    let at = this.#length;
    // For a few bytes a loop is quicker than a call.
    if (end - start < 32) for (let i = start; i < end; i++) target[at++] = bytes[i] ?? 0;
    else {
      target.set(bytes.subarray(start, end), at);
      at += end - start;
    }
    this.#length = at;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
