import { Duplex } from 'node:stream';
import type { Headers } from './header-block.ts';

/** What a stream needs of its connection. */
export interface StreamPort {
  send(streamId: number, data: Buffer, fin: boolean): Promise<void>;
  /** The stream's reader takes more. */
  wanted(streamId: number): void;
  /** The stream is over here; `whole` when both sides had ended it in good order. */
  forget(streamId: number, whole: boolean): void;
}

/** Smaller pieces let the streams of one connection take turns. */
const pieceBytes = 32 * 1024;

/** One stream of a connection. Its two directions end each for itself; destroying it tells the peer that nobody is here any more. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  readonly #port: StreamPort;
  #remoteEnded = false;

  constructor(id: number, headers: Headers, port: StreamPort) {
    super({ allowHalfOpen: true, readableHighWaterMark: 64 * 1024, writableHighWaterMark: 64 * 1024 });
    this.id = id;
    this.headers = headers;
    this.#port = port;
    this.on('error', () => {}); // a stream that breaks is seen by its reader and writer, or by nobody
  }

  /** The first value of a header, or ''. */
  header(name: string): string {
    return this.headers.get(name.toLowerCase())?.[0] ?? '';
  }

  /** From the peer. Returns whether there is room for more. */
  receive(data: Buffer, fin: boolean): boolean {
    const room = data.length === 0 || this.destroyed || this.push(data);
    if (fin && !this.#remoteEnded) {
      this.#remoteEnded = true;
      this.push(null);
    }
    return room;
  }

  /** The peer takes nothing more and has no more to say; what it said before can still be read. */
  cancel(): void {
    this.receive(Buffer.alloc(0), true);
    if (this.readableEnded) this.destroy();
    else this.once('end', () => this.destroy());
  }

  override _read(): void {
    this.#port.wanted(this.id);
  }

  override _write(data: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(data).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#port.send(this.id, Buffer.alloc(0), true).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#port.forget(this.id, this.#remoteEnded && this.writableFinished);
    done(error);
  }

  async #send(data: Buffer): Promise<void> {
    for (let start = 0; start < data.length; start += pieceBytes) {
      await this.#port.send(this.id, data.subarray(start, start + pieceBytes), false);
    }
  }
}
