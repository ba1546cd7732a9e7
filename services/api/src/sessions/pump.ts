import type { Readable, Writable } from 'node:stream';
import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import type { LogsRequest, StreamFrame } from '@navarch/proto';

/** What a node-agent is asked to do with a Pod. */
export type PodRequest = Extract<StreamFrame['frame'], { $case: 'logs' | 'exec' | 'attach' | 'portForward' }>;

/** A user's call about a Pod. */
export type ClientCall = ServerWritableStream<LogsRequest, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** Whether the user sends frames, too. */
export function isDuplex(call: ClientCall): call is ServerDuplexStream<Buffer, Buffer> {
  return 'pause' in call;
}

/** Passes messages on as fast as the other side takes them. Undo to stop. */
export function pump(from: Readable, to: Writable): Disposable {
  const onData = (message: Buffer) => {
    if (!to.write(message)) from.pause();
  };
  const onDrain = () => void from.resume();
  from.on('data', onData);
  to.on('drain', onDrain);
  from.resume();
  return {
    [Symbol.dispose]: () => {
      from.off('data', onData);
      to.off('drain', onDrain);
    },
  };
}
