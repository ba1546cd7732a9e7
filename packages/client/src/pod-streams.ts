import type { ClientDuplexStream, Metadata } from '@grpc/grpc-js';
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

type Frame = NonNullable<StreamFrame['frame']>;

/** What can be done with a running Pod. */
export interface PodStreams {
  /** What a container wrote, as it comes. Ends with the log, or when `signal` aborts. */
  logs(request: Partial<LogsRequest>, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Runs a program in a container. Resolves once it runs; rejects with why it does not. Abort `signal` to hang up. */
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

/** `metadata` goes with each call: it may say for whom it is made. */
export function podStreams(connection: Connection, metadata?: Metadata): PodStreams {
  const open = async (
    method: typeof PodsService.exec | typeof PodsService.attach | typeof PodsService.portForward,
    first: Frame,
    signal: AbortSignal | undefined,
  ) => {
    const call = await connection.duplex(method, {}, metadata);
    const messages = connection.messages(call, signal);
    await write(call, { frame: first });
    return { frames: await begun(messages), send: (frame: Frame) => write(call, { frame }) };
  };
  const connect = async (...args: Parameters<typeof open>): Promise<ExecSession> => {
    const { frames, send } = await open(...args);
    return { output: output(frames), send: (input) => send(toFrame(input)) };
  };
  return {
    async *logs(request, signal) {
      const { logs } = PodsService;
      for await (const { frame } of connection.stream(logs, LogsRequest.fromPartial(request), signal, metadata)) {
        if (frame?.$case === 'error') throw fromErrorDetail(frame.value);
        if (frame?.$case === 'stdout' || frame?.$case === 'stderr') yield frame.value;
      }
    },
    exec: (request, signal) =>
      connect(PodsService.exec, { $case: 'exec', value: ExecRequest.fromPartial(request) }, signal),
    attach: (request, signal) =>
      connect(PodsService.attach, { $case: 'attach', value: AttachRequest.fromPartial(request) }, signal),
    async portForward(request, signal) {
      const closing = new AbortController();
      const either = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal;
      const { frames, send } = await open(PodsService.portForward, { $case: 'portForward', value: request }, either);
      return startPortForward(frames, send, () => closing.abort());
    },
  };
}

/** What comes after the node has said that it begins. Throws why it does not. */
async function begun(messages: AsyncGenerator<StreamFrame, void, void>): Promise<AsyncIterable<StreamFrame>> {
  const { value: first } = await messages.next();
  if (first?.frame?.$case === 'ready') return messages;
  await messages.return();
  if (first?.frame?.$case === 'error') throw fromErrorDetail(first.frame.value);
  throw new ApiError('Unavailable', 'the node ended the connection before it began');
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

function toFrame(input: ExecInput): Frame {
  switch (input.type) {
    case 'stdin':
      return { $case: 'stdin', value: input.data };
    case 'end':
      return { $case: 'stdinEnd', value: true };
    case 'resize':
      return { $case: 'resize', value: { width: input.width, height: input.height } };
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
