import type { ClientDuplexStream } from '@grpc/grpc-js';
import { ApiError, fromErrorDetail } from '@navarch/machinery';
import { ExecRequest, LogsRequest, PodsService, type StreamFrame } from '@navarch/proto';
import type { Connection } from './connection.ts';

/** What can be done with a running Pod. */
export interface PodStreams {
  /** What a container wrote, as it comes. Ends with the log, or when `signal` aborts. */
  logs(request: Partial<LogsRequest>, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Runs a program in a container. Abort `signal` to hang up. */
  exec(request: Partial<ExecRequest>, signal?: AbortSignal): Promise<ExecSession>;
}

export type ExecInput =
  | { readonly type: 'stdin'; readonly data: Uint8Array }
  | { readonly type: 'end' }
  | { readonly type: 'resize'; readonly width: number; readonly height: number };

export type ExecOutput =
  | { readonly type: 'stdout' | 'stderr'; readonly data: Uint8Array }
  /** The last one. */
  | { readonly type: 'exit'; readonly code: number };

export interface ExecSession {
  /** One reader. Throws what went wrong. Reads on only as fast as the caller does. */
  readonly output: AsyncIterable<ExecOutput>;
  /** Resolves once there is room for more. What is sent after the program has ended is forgotten. */
  send(input: ExecInput): Promise<void>;
}

export function podStreams(connection: Connection): PodStreams {
  return {
    async *logs(request, signal) {
      const { logs } = PodsService;
      for await (const { frame } of connection.stream(logs, LogsRequest.fromPartial(request), signal)) {
        if (frame?.$case === 'error') throw fromErrorDetail(frame.value);
        if (frame?.$case === 'stdout' || frame?.$case === 'stderr') yield frame.value;
      }
    },
    async exec(request, signal) {
      const call = await connection.duplex(PodsService.exec);
      const frames = connection.messages(call, signal);
      await write(call, { frame: { $case: 'exec', value: ExecRequest.fromPartial(request) } });
      return {
        output: output(frames),
        send: (input) => write(call, toFrame(input)),
      };
    },
  };
}

async function* output(frames: AsyncIterable<StreamFrame>): AsyncGenerator<ExecOutput, void, void> {
  for await (const { frame } of frames) {
    switch (frame?.$case) {
      case 'stdout':
      case 'stderr':
        yield { type: frame.$case, data: frame.value };
        break;
      case 'exit':
        yield { type: 'exit', code: frame.value };
        return;
      case 'error':
        throw fromErrorDetail(frame.value);
      default:
        throw new ApiError('InternalError', `the node sent a frame that has no place here: ${frame?.$case ?? 'empty'}`);
    }
  }
}

function toFrame(input: ExecInput): StreamFrame {
  switch (input.type) {
    case 'stdin':
      return { frame: { $case: 'stdin', value: input.data } };
    case 'end':
      return { frame: { $case: 'stdinEnd', value: true } };
    case 'resize':
      return { frame: { $case: 'resize', value: { width: input.width, height: input.height } } };
    default:
      return input satisfies never;
  }
}

async function write(call: ClientDuplexStream<StreamFrame, StreamFrame>, frame: StreamFrame): Promise<void> {
  if (call.destroyed || call.writableEnded || call.write(frame)) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const events = ['drain', 'close', 'error', 'end'] as const;
  for (const event of events) call.once(event, resolve);
  await promise;
  for (const event of events) call.off(event, resolve);
}
