const lineEnd = 0x0a;
const space = 0x20;

/** Takes a NATS server's stream of bytes apart. Source: docs.nats.io/reference/reference-protocols/nats-protocol. */
export class NatsMessages {
  readonly #onMessage: (sid: number, payload: Buffer) => void;
  readonly #onLine: (line: string) => void;
  /** The beginning of what the next bytes complete. */
  #begun: Buffer = Buffer.alloc(0);

  /** `payload` is only there during the call. `onLine` is told what is no message. */
  constructor(onMessage: (sid: number, payload: Buffer) => void, onLine: (line: string) => void) {
    this.#onMessage = onMessage;
    this.#onLine = onLine;
  }

  /** Keeps nothing of `bytes` but a copy of what is not complete yet. */
  push(bytes: Buffer): void {
    let rest = bytes;
    while (this.#begun.length > 0 && rest.length > 0) {
      // Just as much as completes it, so that the rest need not be copied.
      const wanted = Math.min(this.#missing(rest), rest.length);
      const whole = Buffer.concat([this.#begun, rest.subarray(0, wanted)]);
      rest = rest.subarray(wanted);
      this.#begun = whole.subarray(this.#take(whole));
    }
    if (rest.length > 0) this.#begun = Buffer.from(rest.subarray(this.#take(rest)));
  }

  /** How much of what follows belongs to what has begun: its line, or when that is there, its payload. */
  #missing(following: Buffer): number {
    const end = this.#begun.indexOf(lineEnd);
    if (end >= 0) return end + 1 + payloadSize(this.#begun, 0, end) - this.#begun.length;
    const at = following.indexOf(lineEnd);
    return at < 0 ? following.length : at + 1;
  }

  /** Tells what is complete, and gives where the rest begins. */
  #take(bytes: Buffer): number {
    for (let at = 0; ; ) {
      const end = bytes.indexOf(lineEnd, at);
      if (end < 0) return at;
      const size = payloadSize(bytes, at, end);
      const next = end + 1 + size;
      if (next > bytes.length) return at;
      if (size === 0) this.#onLine(bytes.toString('latin1', at, end).trimEnd());
      else this.#onMessage(numberAt(bytes, bytes.indexOf(space, at + 4) + 1), bytes.subarray(end + 1, next - 2));
      at = next;
    }
  }
}

/** What follows the line up to `end`, with its line end: of `MSG <subject> <sid> <size>` the last is meant. */
function payloadSize(bytes: Buffer, at: number, end: number): number {
  const isMessage = bytes[at] === 0x4d && bytes[at + 1] === 0x53 && bytes[at + 2] === 0x47;
  return isMessage ? numberAt(bytes, bytes.lastIndexOf(space, end) + 1) + 2 : 0;
}

/** The decimal number that begins at `at`. */
function numberAt(bytes: Buffer, at: number): number {
  let value = 0;
  for (let i = at; ; i++) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return value;
    value = value * 10 + digit;
  }
}
