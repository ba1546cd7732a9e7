import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { ExecInput } from '@navarch/client';
import { ApiError } from '@navarch/machinery';
import { SpdyConnection, type SpdyStream } from '@navarch/spdy';
import type { Status } from '../http/status.ts';
import { type CommandStreams, readSize, type WantedStreams } from './command-streams.ts';

/** In which an error is a Status; clients that offer newer ones offer this, too. */
export const commandProtocols = ['v4.channel.k8s.io'] as const;

const streamsMs = 30_000;
/** How long a client may take to hang up once it was told the end. */
const goodbyeMs = 5_000;

type Streams = Readonly<Partial<Record<string, SpdyStream>>>;

/** The remote command protocol over SPDY: a stream for each of a program's, which the client opens. For clients of older days. */
export async function spdyCommand(socket: Duplex, wanted: WantedStreams, signal: AbortSignal): Promise<CommandStreams> {
  const expected = ['error', ...names.filter((name) => wanted[name]), ...(wanted.tty ? ['resize'] : [])];
  const { promise, resolve, reject } = Promise.withResolvers<Streams>();
  const streams: Record<string, SpdyStream> = {};
  const connection = new SpdyConnection(socket, {
    role: 'server',
    maxStreams: expected.length,
    onStream: (stream) => {
      streams[stream.header('streamtype')] = stream;
      if (expected.every((name) => streams[name] !== undefined)) resolve(streams);
    },
  });
  const late = setTimeout(() => reject(new ApiError('Timeout', 'the client opened too few streams')), streamsMs);
  const leave = () => reject(new ApiError('Cancelled', 'the client hung up'));
  signal.addEventListener('abort', leave, { once: true });
  try {
    return new SpdyStreams(connection, await promise);
  } catch (error) {
    connection.destroy();
    throw error;
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', leave);
  }
}

const names = ['stdin', 'stdout', 'stderr'] as const;

class SpdyStreams implements CommandStreams {
  readonly input: AsyncIterable<ExecInput>;
  readonly #connection: SpdyConnection;
  readonly #streams: Streams;

  constructor(connection: SpdyConnection, streams: Streams) {
    this.#connection = connection;
    this.#streams = streams;
    for (const name of ['error', 'stdout', 'stderr']) streams[name]?.resume();
    this.input = merged(inputOf(streams['stdin']), sizesOf(streams['resize']));
  }

  async write(name: 'stdout' | 'stderr', data: Uint8Array): Promise<void> {
    const stream = this.#streams[name];
    if (stream === undefined) return;
    await new Promise<void>((resolve, reject) => stream.write(data, (error) => (error ? reject(error) : resolve())));
  }

  async finish(status: Status): Promise<void> {
    const { error } = this.#streams;
    for (const name of ['stdout', 'stderr']) this.#streams[name]?.end();
    if (error?.writable) {
      error.end(JSON.stringify(status));
      await once(error, 'finish').catch(() => undefined);
    }
    this.#connection.close();
    const late = setTimeout(() => this.#connection.destroy(), goodbyeMs);
    await this.#connection.closed;
    clearTimeout(late);
  }
}

async function* inputOf(stdin: SpdyStream | undefined): AsyncGenerator<ExecInput, void, void> {
  if (stdin === undefined) return;
  for await (const data of stdin.iterator({ destroyOnReturn: false })) yield { type: 'stdin', data: data as Buffer };
  yield { type: 'end' };
}

async function* sizesOf(resize: SpdyStream | undefined): AsyncGenerator<ExecInput, void, void> {
  if (resize === undefined) return;
  for await (const data of resize.iterator({ destroyOnReturn: false })) {
    // One write each, as clients do; several that came together hold the newest last.
    const size = readSize(String(data).slice(String(data).lastIndexOf('{')));
    if (size !== undefined) yield size;
  }
}

/** Whatever comes first of both, until both have ended. */
async function* merged<T>(...sources: readonly AsyncGenerator<T, void, void>[]): AsyncGenerator<T, void, void> {
  const pull = async (source: AsyncGenerator<T, void, void>) => ({ source, next: await source.next() });
  const pending = new Map(sources.map((source) => [source, pull(source)]));
  while (pending.size > 0) {
    const { source, next } = await Promise.race(pending.values());
    if (next.done === true) pending.delete(source);
    else {
      pending.set(source, pull(source));
      yield next.value;
    }
  }
}
