import { createInflate } from 'node:zlib';
import { dictionary } from './dictionary.ts';
import { SpdyError } from './frames.ts';

/** Names in lower case, each with its values. */
export type Headers = ReadonlyMap<string, readonly string[]>;

/** Far more than the few words that are sent; bounds what a small block may unfold to. */
const maxUnfoldedBytes = 256 * 1024;
const maxStoredBytes = 0xffff;

/** Headers as pairs with their lengths. Source: SPDY Protocol, Draft 3.1, section 2.6.10. */
export function encodePairs(headers: Headers): Buffer {
  const parts: Buffer[] = [length(headers.size)];
  for (const [name, values] of headers) {
    for (const text of [name.toLowerCase(), values.join('\0')]) {
      const bytes = Buffer.from(text);
      parts.push(length(bytes.length), bytes);
    }
  }
  return Buffer.concat(parts);
}

/** Throws SpdyError. */
export function decodePairs(bytes: Buffer): Headers {
  let position = 0;
  const number = () => {
    if (position + 4 > bytes.length) throw new SpdyError('a header block ends within a length');
    position += 4;
    return bytes.readUInt32BE(position - 4);
  };
  const text = () => {
    const end = number() + position;
    if (end > bytes.length) throw new SpdyError('a header block ends within a word');
    const word = bytes.toString('utf8', position, end);
    position = end;
    return word;
  };
  const headers = new Map<string, readonly string[]>();
  for (let left = number(); left > 0; left--) {
    const name = text();
    if (name === '' || headers.has(name))
      throw new SpdyError(`a header block has the name "${name}" where it must not`);
    headers.set(name, text().split('\0'));
  }
  return headers;
}

function length(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}

/** Packs the header blocks of one direction of a connection: they are one zlib stream. */
export class HeaderPacker {
  #begun = false;

  /**
   * As stored blocks of deflate (RFC 1951, 3.2.4): valid for every reader, and nothing to get out of step. What compressing
   * would save of some thirty bytes a stream is not worth a compressor for each connection.
   */
  pack(headers: Headers): Buffer {
    const pairs = encodePairs(headers);
    const parts: Buffer[] = this.#begun ? [] : [zlibHeader];
    this.#begun = true;
    for (let start = 0; start < pairs.length; start += maxStoredBytes) {
      parts.push(stored(pairs.subarray(start, start + maxStoredBytes)));
    }
    // An empty one is what a flush writes, and what Go's reader waits for before it hands anything on.
    parts.push(stored(Buffer.alloc(0)));
    return Buffer.concat(parts);
  }
}

function stored(piece: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(piece.length, 1);
  head.writeUInt16LE(piece.length ^ 0xffff, 3);
  return Buffer.concat([head, piece]);
}

/** Method and level, with the mark that a dictionary is used, and which (RFC 1950, 2.2). */
const zlibHeader = Buffer.concat([Buffer.from([0x78, 0x20]), length(adler32(dictionary))]);

function adler32(bytes: Buffer): number {
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return high * 65_536 + low;
}

/** Unpacks the header blocks of one direction of a connection, in their order, one after another. */
export class HeaderUnpacker {
  readonly #inflate = createInflate({ dictionary });
  #unfolded: Buffer[] = [];
  #bytes = 0;
  #settle: PromiseWithResolvers<void> | undefined;

  constructor() {
    this.#inflate.on('data', (data: Buffer) => {
      this.#unfolded.push(data);
      this.#bytes += data.length;
      if (this.#bytes <= maxUnfoldedBytes) return;
      this.#settle?.reject(new SpdyError(`a header block unfolds to more than ${maxUnfoldedBytes} bytes`));
      this.#inflate.destroy();
    });
    this.#inflate.on('error', ({ message }) => {
      this.#settle?.reject(new SpdyError(`a header block can't be unpacked: ${message}`));
    });
  }

  /** Rejects with SpdyError; nothing can be unpacked any more then. */
  async unpack(block: Buffer): Promise<Headers> {
    if (this.#inflate.destroyed) throw new SpdyError("header blocks can't be unpacked any more");
    this.#unfolded = [];
    this.#bytes = 0;
    const settle = Promise.withResolvers<void>();
    this.#settle = settle;
    this.#inflate.write(block, (error) => (error ? undefined : settle.resolve()));
    await settle.promise;
    return decodePairs(Buffer.concat(this.#unfolded));
  }

  close(): void {
    this.#inflate.destroy();
  }
}
