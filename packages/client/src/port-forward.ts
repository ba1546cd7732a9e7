import type { Duplex } from 'node:stream';
import { ApiError, fromErrorDetail, toApiError } from '@navarch/machinery';
import type { ConnectionClosed, StreamFrame } from '@navarch/proto';
import { ForwardedConnection } from './forwarded-connection.ts';

type Frame = NonNullable<StreamFrame['frame']>;

/** A way to the ports of one Pod, for any number of connections at once. */
export interface PortForward {
  /**
   * Carries `local` to what listens on the port, until both directions have ended, and destroys it then. Rejects with ApiError
   * when nothing listens there or the connection breaks.
   */
  carry(local: Duplex, port: number): Promise<void>;
  /** Rejects with ApiError once there is no way to the Pod any more; resolves when it was closed here. */
  readonly ended: Promise<void>;
  /** Breaks off what is still carried. */
  close(): void;
}

/** `send` resolves once there is room for more. */
export function startPortForward(
  frames: AsyncIterable<StreamFrame>,
  send: (frame: Frame) => Promise<void>,
  close: () => void,
): PortForward {
  return new FramedPortForward(frames, send, close);
}

interface Carried {
  readonly connection: ForwardedConnection;
  readonly opened: PromiseWithResolvers<void>;
}

class FramedPortForward implements PortForward {
  readonly ended: Promise<void>;
  readonly #send: (frame: Frame) => Promise<void>;
  readonly #close: () => void;
  readonly #carried = new Map<number, Carried>();
  #counter = 0;
  #closed = false;
  #failure: ApiError | undefined;

  constructor(frames: AsyncIterable<StreamFrame>, send: (frame: Frame) => Promise<void>, close: () => void) {
    this.#send = send;
    this.#close = close;
    this.ended = this.#read(frames);
    this.ended.catch(() => undefined);
  }

  async carry(local: Duplex, port: number): Promise<void> {
    if (this.#failure !== undefined || this.#closed) {
      local.destroy();
      throw this.#failure ?? new ApiError('Cancelled', 'the port-forward was closed');
    }
    const id = ++this.#counter;
    const carried: Carried = {
      connection: new ForwardedConnection(id, local, this.#send),
      opened: Promise.withResolvers<void>(),
    };
    carried.opened.promise.catch(() => undefined); // it may fail before it is waited for
    this.#carried.set(id, carried);
    const ignore = () => {};
    local.on('error', ignore);
    try {
      await this.#send({ $case: 'dial', value: { connection: id, port } });
      await carried.opened.promise;
      await carried.connection.carry();
    } finally {
      local.destroy();
      this.#carried.delete(id);
    }
  }

  close(): void {
    this.#closed = true;
    this.#close();
  }

  async #read(frames: AsyncIterable<StreamFrame>): Promise<void> {
    try {
      for await (const { frame } of frames) {
        if (frame?.$case === 'error') throw fromErrorDetail(frame.value);
        if (frame !== undefined) this.#handle(frame);
      }
      throw new ApiError('Unavailable', 'the connection to the Pod was lost');
    } catch (error) {
      if (!this.#closed) this.#failure = toApiError(error);
    } finally {
      const why = this.#failure ?? new ApiError('Cancelled', 'the port-forward was closed');
      for (const { connection, opened } of this.#carried.values()) {
        opened.reject(why);
        connection.destroy();
      }
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #handle(frame: Frame): void {
    switch (frame.$case) {
      case 'ready':
        return;
      case 'connected':
        return this.#carried.get(frame.value)?.opened.resolve();
      case 'data':
        return this.#carried.get(frame.value.connection)?.connection.write(frame.value.data);
      case 'dataEnd':
        return this.#carried.get(frame.value)?.connection.end();
      case 'credit':
        return this.#carried.get(frame.value.connection)?.connection.allow(frame.value.bytes);
      case 'closed':
        return this.#over(frame.value);
      default:
        throw new ApiError('InternalError', `the node sent a frame that has no place here: ${frame.$case}`);
    }
  }

  #over({ connection: id, error }: ConnectionClosed): void {
    const carried = this.#carried.get(id);
    // Of one that was never opened.
    carried?.opened.reject(new ApiError('BadRequest', error || 'the connection ended at once'));
    carried?.connection.over(error);
  }
}
