import type { ClientDuplexStream } from '@grpc/grpc-js';
import { ApiError, fromErrorDetail } from '@navarch/machinery';
import {
  AttachRequest,
  ExecRequest,
  LogsRequest,
  type PortForwardRequest,
  PodsService,
  type StreamFrame,
} from '@navarch/proto';
import type { Connection } from './connection.ts';
import { type PortForward, startPortForward } from './port-forward.ts';

/** What can be done with a running Pod. */
export interface PodStreams {
  /** What a container wrote, as it comes. Ends with the log, or when `signal` aborts. */
  logs(request: Partial<LogsRequest>, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Runs a program in a container. Abort `signal` to hang up. */
  exec(request: Partial<ExecRequest>, signal?: AbortSignal): Promise<ExecSession>;
  /**
   * Connects to a container's own program: to what it writes from now on. The output ends with 'exit' when the container does,
   * and without when the program goes on. Abort `signal` to detach.
   */
  attach(request: Partial<AttachRequest>, signal?: AbortSignal): Promise<ExecSession>;
  /** Reaches the ports of a Pod, those on its loopback too. Abort `signal`, or close it, to let go. */
  portForward(request: PortForwardRequest, signal?: AbortSignal): Promise<PortForward>;
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
    exec: (request, signal) =>
      connect(connection, PodsService.exec, { $case: 'exec', value: ExecRequest.fromPartial(request) }, signal),
    attach: (request, signal) =>
      connect(connection, PodsService.attach, { $case: 'attach', value: AttachRequest.fromPartial(request) }, signal),
    async portForward(request, signal) {
      const call = await connection.duplex(PodsService.portForward);
      const closing = new AbortController();
      const frames = connection.messages(call, signal ? AbortSignal.any([signal, closing.signal]) : closing.signal);
      await write(call, { frame: { $case: 'portForward', value: request } });
      return startPortForward(
        frames,
        (frame) => write(call, { frame }),
        () => closing.abort(),
      );
    },
  };
}

async function connect(
  connection: Connection,
  method: typeof PodsService.exec | typeof PodsService.attach,
  first: NonNullable<StreamFrame['frame']>,
  signal: AbortSignal | undefined,
): Promise<ExecSession> {
  const call = await connection.duplex(method);
  const frames = connection.messages(call, signal);
  await write(call, { frame: first });
  return { output: output(frames), send: (input) => write(call, toFrame(input)) };
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
