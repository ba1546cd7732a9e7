import type { Duplex } from 'node:stream';
import { ApiError } from '@navarch/machinery';
import type { StreamFrame } from '@navarch/proto';

/** How much of a connection may be under way in one direction: one that nobody reads holds no other up. */
export const connectionWindowBytes = 256 * 1024;

type Frame = NonNullable<StreamFrame['frame']>;

/**
 * One end of a connection that is carried in a port-forward's frames: a socket on this side, frames with the connection's
 * number on the other. Both ends are alike. What the frames say is handed in with `write`, `end`, `allow` and `over`.
 */
export class ForwardedConnection {
  readonly #id: number;
  readonly #socket: Duplex;
  readonly #send: (frame: Frame) => Promise<void>;
  /** What the far side may still be sent, and may still send, before there is more room. */
  #allowedBytes = connectionWindowBytes;
  #expectedBytes = connectionWindowBytes;
  #roomier = () => {};

  /** `send` resolves once there is room for another frame. */
  constructor(id: number, socket: Duplex, send: (frame: Frame) => Promise<void>) {
    this.#id = id;
    this.#socket = socket;
    this.#send = send;
  }

  /** Passes both directions on until each has ended, and then says so to the far side. Rejects with what broke the socket. */
  async carry(): Promise<void> {
    let failure: Error | undefined;
    const socket = this.#socket;
    const closed = new Promise<void>((resolve) => {
      if (socket.closed) resolve();
      socket.once('close', resolve);
    });
    socket.on('error', (error) => (failure = error));
    socket.once('close', () => this.#roomier());
    try {
      await this.#pass();
      // The far side may still have something to say.
      await closed;
    } catch (error) {
      failure ??= error as Error; // of the socket
    } finally {
      socket.destroy();
      await this.#send({ $case: 'closed', value: { connection: this.#id, error: failure?.message ?? '' } });
    }
    if (failure !== undefined) throw failure;
  }

  write(data: Uint8Array): void {
    this.#expectedBytes -= data.length;
    if (this.#expectedBytes < 0) {
      this.#socket.destroy(new ApiError('BadRequest', 'the far side sent more than there was room for'));
      return;
    }
    this.#socket.write(data, (error) => {
      if (error) return;
      this.#expectedBytes += data.length;
      void this.#send({ $case: 'credit', value: { connection: this.#id, bytes: data.length } });
    });
  }

  /** The far side has no more to say. */
  end(): void {
    this.#socket.end();
  }

  /** The far side has room for so much more. */
  allow(bytes: number): void {
    this.#allowedBytes += bytes;
    this.#roomier();
  }

  /** The far side is through with the connection; what it said before is still passed on. */
  over(error: string): void {
    if (error !== '') this.#socket.destroy(new ApiError('BadRequest', error));
    else this.#socket.end(() => this.#socket.destroy());
  }

  /** Breaks it off. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Sends what the socket has to say, as far as there is room for it over there. */
  async #pass(): Promise<void> {
    for await (const chunk of this.#socket.iterator({ destroyOnReturn: false })) {
      let data = chunk as Buffer;
      while (data.length > 0) {
        while (this.#allowedBytes <= 0 && !this.#socket.destroyed) {
          await new Promise<void>((resolve) => (this.#roomier = resolve));
        }
        if (this.#socket.destroyed) return;
        const piece = data.subarray(0, this.#allowedBytes);
        this.#allowedBytes -= piece.length;
        data = data.subarray(piece.length);
        await this.#send({ $case: 'data', value: { connection: this.#id, data: piece } });
      }
    }
    await this.#send({ $case: 'dataEnd', value: this.#id });
  }
}
