import type { Duplex } from 'node:stream';
import { FrameReader } from './frame-reader.ts';
import { type DataFrame, encodeFrame, type Frame, resetStatus, SpdyError, streamIdMask } from './frames.ts';
import { HeaderPacker, type Headers, HeaderUnpacker } from './header-block.ts';
import { SpdyStream } from './stream.ts';

export interface SpdyOptions {
  readonly role: 'client' | 'server';
  /** Called for each stream that the peer opens. It is refused when this is left out or throws. */
  readonly onStream?: (stream: SpdyStream) => void;
  /** How many streams the peer may have open. More are refused. Default 1024. */
  readonly maxStreams?: number;
}

/**
 * Streams over one connection, in SPDY/3.1 as the remote commands of Kubernetes speak it.
 *
 * There are no windows for single streams: the only peers (Go's moby/spdystream, in kubectl, kubelets and containerd) neither
 * send WINDOW_UPDATE nor heed it, and whoever waited for it would stand still after 64 KiB. So the transport alone sets the
 * pace: while one stream's reader is behind, nothing is read from the connection. Nothing beyond the buffers of its streams
 * is held.
 */
export class SpdyConnection {
  /** Resolves once the connection is over, however it ended; all its streams are over then. */
  readonly closed: Promise<void>;
  readonly #transport: Duplex;
  readonly #options: SpdyOptions;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #replies = new Map<number, PromiseWithResolvers<SpdyStream>>();
  readonly #packer = new HeaderPacker();
  readonly #unpacker = new HeaderUnpacker();
  readonly #isMine: (id: number) => boolean;
  #nextId: number;
  #lastPeerId = 0;
  #goneAway = false;
  #resume: { readonly streamId: number; readonly go: () => void } | undefined;

  constructor(transport: Duplex, options: SpdyOptions) {
    this.#transport = transport;
    this.#options = options;
    const parity = options.role === 'client' ? 1 : 0;
    this.#nextId = parity === 1 ? 1 : 2;
    this.#isMine = (id) => id % 2 === parity;
    transport.on('error', () => {}); // ends the loop below
    transport.on('close', () => this.#resume?.go());
    this.closed = this.#run();
  }

  /** Resolves once the peer has accepted the stream. Rejects with SpdyError when it refuses, or the connection ends before. */
  async open(headers: Readonly<Record<string, string>>): Promise<SpdyStream> {
    if (this.#goneAway || this.#transport.destroyed) throw new SpdyError('the connection has ended');
    const id = this.#nextId;
    this.#nextId += 2;
    const named: Headers = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]]));
    this.#make(id, named);
    const reply = Promise.withResolvers<SpdyStream>();
    this.#replies.set(id, reply);
    this.#write({ type: 'synStream', streamId: id, fin: false, block: this.#packer.pack(named) }).catch(
      () => undefined,
    );
    return reply.promise;
  }

  /** Says goodbye and hangs up, once what was written has gone out. */
  close(): void {
    if (this.#goneAway) return;
    this.#goneAway = true;
    this.#write({ type: 'goAway', lastStreamId: this.#lastPeerId, status: 0 }).catch(() => undefined);
    this.#transport.end();
  }

  /** Hangs up at once. */
  destroy(): void {
    this.#transport.destroy();
  }

  async #run(): Promise<void> {
    const reader = new FrameReader();
    let failure: unknown;
    try {
      for await (const chunk of this.#transport) {
        for (const frame of reader.push(chunk as Buffer)) await this.#handle(frame);
      }
    } catch (error) {
      failure = error;
    } finally {
      this.#goneAway = true;
      const why = new SpdyError('the connection has ended', { cause: failure });
      for (const reply of this.#replies.values()) reply.reject(why);
      this.#replies.clear();
      const streams = [...this.#streams.values()];
      this.#streams.clear();
      for (const stream of streams) {
        if (failure === undefined) stream.cancel();
        else stream.destroy(why);
      }
      this.#unpacker.close();
      this.#transport.destroy();
    }
  }

  async #handle(frame: Frame): Promise<void> {
    switch (frame.type) {
      case 'data':
        return this.#data(frame);
      case 'synStream': {
        const headers = await this.#unpacker.unpack(frame.block);
        return this.#accept(frame.streamId, headers, frame.fin);
      }
      case 'synReply': {
        await this.#unpacker.unpack(frame.block);
        this.#replied(frame.streamId, frame.fin);
        return;
      }
      case 'headers':
        // Nobody sends any; but they are part of the packed stream.
        await this.#unpacker.unpack(frame.block);
        return;
      case 'rstStream':
        return this.#reset(frame.streamId, frame.status);
      case 'ping':
        if (!this.#isMine(frame.id)) await this.#write(frame);
        return;
      case 'goAway':
        this.#goneAway = true;
        return;
      case 'windowUpdate':
      case 'other':
        return;
      default:
        return frame satisfies never;
    }
  }

  /** Waits while the stream's reader is behind. */
  async #data({ streamId, data, fin }: DataFrame): Promise<void> {
    const stream = this.#streams.get(streamId);
    // What was under way when the stream ended here.
    if (stream === undefined) return;
    if (stream.receive(data, fin) || fin) return;
    await new Promise<void>((go) => {
      this.#resume = { streamId, go };
    });
  }

  #accept(id: number, headers: Headers, fin: boolean): void {
    if (id === 0 || this.#isMine(id) || id <= this.#lastPeerId) {
      throw new SpdyError(`the peer opened stream ${id} where that number can't be`);
    }
    this.#lastPeerId = id;
    const { onStream, maxStreams = 1024 } = this.#options;
    if (onStream === undefined || this.#goneAway || this.#streams.size >= maxStreams) return this.#refuse(id);
    const stream = this.#make(id, headers);
    const block = this.#packer.pack(new Map());
    this.#write({ type: 'synReply', streamId: id, fin: false, block }).catch(() => undefined);
    if (fin) stream.receive(Buffer.alloc(0), true);
    try {
      onStream(stream);
    } catch (error) {
      stream.destroy(error as Error); // as thrown by the options' own function
    }
  }

  #refuse(streamId: number): void {
    this.#write({ type: 'rstStream', streamId, status: resetStatus.refusedStream }).catch(() => undefined);
  }

  #replied(id: number, fin: boolean): void {
    const stream = this.#streams.get(id);
    const reply = this.#replies.get(id);
    this.#replies.delete(id);
    if (stream === undefined || reply === undefined) return;
    if (fin) stream.receive(Buffer.alloc(0), true);
    reply.resolve(stream);
  }

  #reset(id: number, status: number): void {
    const why = new SpdyError(`the peer broke the stream off, with status ${status}`);
    this.#replies.get(id)?.reject(why);
    this.#replies.delete(id);
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    this.#goOn(id);
    // Go's servers end their streams so when all is said.
    if (status === resetStatus.cancel) stream?.cancel();
    else stream?.destroy(why);
  }

  #make(id: number, headers: Headers): SpdyStream {
    const stream = new SpdyStream(id, headers, {
      send: (streamId, data, fin) => {
        if (!this.#streams.has(streamId)) return Promise.reject(new SpdyError('the stream has ended'));
        return this.#write({ type: 'data', streamId: streamId & streamIdMask, data, fin });
      },
      wanted: (streamId) => this.#goOn(streamId),
      forget: (streamId, whole) => {
        this.#goOn(streamId);
        if (!this.#streams.delete(streamId) || whole) return;
        this.#write({ type: 'rstStream', streamId, status: resetStatus.cancel }).catch(() => undefined);
      },
    });
    this.#streams.set(id, stream);
    return stream;
  }

  #goOn(streamId: number): void {
    if (this.#resume?.streamId !== streamId) return;
    const { go } = this.#resume;
    this.#resume = undefined;
    go();
  }

  /** Resolves once the transport has taken it. */
  #write(frame: Exclude<Frame, { type: 'other' }>): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#transport.writable) return reject(new SpdyError('the connection has ended'));
      this.#transport.write(encodeFrame(frame), (error) => (error ? reject(error) : resolve()));
    });
  }
}
