import { decodeControl, decodeHeader, type Frame, type FrameHeader, frameHeaderBytes, isFin } from './frames.ts';

/**
 * Takes bytes as they come and gives the frames in them. Data is passed on piece by piece, without waiting for the rest of its
 * frame: so it holds at most one control frame, whatever the peer sends.
 */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  #header: FrameHeader | undefined;
  #left = 0;

  /** Throws SpdyError for bytes that are no frames. */
  *push(chunk: Buffer): Generator<Frame, void, void> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      if (this.#header === undefined) {
        if (this.#rest.length < frameHeaderBytes) return;
        this.#header = decodeHeader(this.#take(frameHeaderBytes));
        this.#left = this.#header.length;
      }
      const header = this.#header;
      const needed = header.control ? this.#left : Math.min(1, this.#left);
      if (this.#rest.length < needed) return;
      const body = this.#take(Math.min(this.#left, this.#rest.length));
      this.#left -= body.length;
      if (this.#left === 0) this.#header = undefined;
      if (header.control) yield decodeControl(header.kind, header.flags, body);
      else {
        const fin = this.#left === 0 && isFin(header.flags);
        yield { type: 'data', streamId: header.streamId, data: body, fin };
      }
    }
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }
}
