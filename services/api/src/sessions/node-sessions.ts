import {
  type handleBidiStreamingCall,
  Metadata,
  type ServerDuplexStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { type Clock, type Logger, onAbort } from '@navarch/kit';
import { ApiError, toServiceError } from '@navarch/machinery';
import type { AgentMessage, OpenStream } from '@navarch/proto';
import { asApiError } from '../grpc/calls.ts';
import type { CallMetrics } from '../grpc/call-metrics.ts';
import { authenticate } from '../access/caller.ts';
import type { Access } from '../pipeline/access.ts';
import { uidFrom } from '../pipeline/uid.ts';
import { decodeFrame, type FrameStream } from './frames.ts';
import type { SessionRegistry } from './session-registry.ts';
import { firstMessage } from './first-frame.ts';

/** How long a node-agent may take to say who it is, and to open a stream that it was asked for. */
const answerMs = 10_000;

type Session = ServerDuplexStream<AgentMessage, OpenStream>;

interface Expected {
  readonly nodeName: string;
  readonly session: Session;
  readonly settle: PromiseWithResolvers<FrameStream>;
}

/** The sessions that node-agents hold open, and the streams that they are asked to open. */
export class NodeSessions {
  readonly #access: Access;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: CallMetrics;
  readonly #registry: SessionRegistry;
  readonly #sessions = new Map<string, Session>();
  readonly #expected = new Map<string, Expected>();
  readonly #stopped = new AbortController();

  constructor(options: {
    access: Access;
    clock: Clock;
    logger: Logger;
    metrics: CallMetrics;
    registry: SessionRegistry;
  }) {
    this.#access = options.access;
    this.#registry = options.registry;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#metrics = options.metrics;
  }

  /** How many nodes are connected. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Ends all sessions and streams: the agents come back to another api, or to this one when it is back. */
  stop(): void {
    this.#stopped.abort(new ApiError('Unavailable', 'the api is stopping; connect again'));
  }

  has(nodeName: string): boolean {
    return this.#sessions.has(nodeName);
  }

  /** A stream to the agent of a node. Throws Unavailable when it is not connected, or does not open one in time. */
  async open(nodeName: string, signal: AbortSignal): Promise<FrameStream> {
    const session = this.#sessions.get(nodeName);
    if (session === undefined) {
      throw new ApiError(
        'Unavailable',
        `node "${nodeName}" is not connected: its node-agent is down, or on its way back`,
      );
    }
    const streamId = uidFrom(Math.random);
    const settle = Promise.withResolvers<FrameStream>();
    this.#expected.set(streamId, { nodeName, session, settle });
    using _timer = this.#clock.timer(answerMs, () =>
      settle.reject(new ApiError('Unavailable', `node "${nodeName}" did not answer within ${answerMs} ms`)),
    );
    using _abort = onAbort(signal, () => settle.reject(signal.reason));
    try {
      session.write({ streamId });
      return await settle.promise;
    } finally {
      this.#expected.delete(streamId);
    }
  }

  handlers(): UntypedServiceImplementation {
    const connect: handleBidiStreamingCall<AgentMessage, OpenStream> = (call) =>
      void this.#run('Connect', call, (signal) => this.#hold(call, signal));
    const serve: handleBidiStreamingCall<Buffer, Buffer> = (call) =>
      void this.#run('Serve', call, (signal) => this.#accept(call, signal));
    return { connect, serve };
  }

  /** Runs a stream's handler until it or the stream ends; what it throws becomes the stream's status. */
  async #run<Request, Response>(
    method: string,
    call: ServerDuplexStream<Request, Response>,
    handle: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const done = this.#metrics.started(method, { timed: false });
    const cancelled = new AbortController();
    call.on('cancelled', () => cancelled.abort(new ApiError('Cancelled', 'the node-agent went away')));
    call.on('error', (error) => cancelled.abort(error));
    const signal = AbortSignal.any([cancelled.signal, this.#stopped.signal]);
    try {
      await handle(signal);
      done();
    } catch (error) {
      const apiError = asApiError(error, signal);
      done(apiError);
      call.emit('error', toServiceError(apiError));
    }
  }

  async #hold(call: Session, signal: AbortSignal): Promise<void> {
    const what = 'the name of the node';
    const { nodeName } = await firstMessage<AgentMessage>(call, {
      what,
      timeoutMs: answerMs,
      clock: this.#clock,
      signal,
    });
    if (nodeName === '') throw new ApiError('BadRequest', 'node_name must be set');
    this.#access.authorizeComponent(
      authenticate(call.metadata),
      `hold the session of node ${JSON.stringify(nodeName)}`,
    );
    const ended = Promise.withResolvers<void>();
    const older = this.#sessions.get(nodeName);
    this.#sessions.set(nodeName, call);
    // Tells the agent that it can be reached from now on.
    call.sendMetadata(new Metadata());
    this.#logger.info({ node: nodeName }, 'node connected');
    // An agent that comes back before its old connection is known to be dead takes its place.
    older?.emit('error', toServiceError(new ApiError('Conflict', `another session of node "${nodeName}" took over`)));
    using _abort = onAbort(signal, () => ended.reject(signal.reason));
    call.on('end', () => ended.resolve());
    call.resume();
    const held = new AbortController();
    const registered = this.#registry.hold(nodeName, held.signal);
    try {
      await ended.promise;
      call.end();
    } finally {
      this.#forget(nodeName, call);
      held.abort();
      await registered;
    }
  }

  #forget(nodeName: string, call: Session): void {
    for (const expected of this.#expected.values()) {
      if (expected.session !== call) continue;
      expected.settle.reject(new ApiError('Unavailable', `the connection to node "${nodeName}" was lost`));
    }
    if (this.#sessions.get(nodeName) !== call) return;
    this.#sessions.delete(nodeName);
    this.#logger.info({ node: nodeName }, 'node disconnected');
  }

  /** Hands the stream to whoever waits for it, and stays until it has ended. */
  async #accept(call: FrameStream, signal: AbortSignal): Promise<void> {
    this.#access.authorizeComponent(authenticate(call.metadata), 'answer for a node');
    const what = 'the frame that opens it';
    const first = decodeFrame(
      await firstMessage<Buffer>(call, { what, timeoutMs: answerMs, clock: this.#clock, signal }),
    );
    if (first?.$case !== 'open') throw new ApiError('BadRequest', 'the first frame must be open');
    const expected = this.#expected.get(first.value);
    if (expected === undefined) throw new ApiError('NotFound', 'nobody waits for this stream any more');
    const ended = Promise.withResolvers<void>();
    using _abort = onAbort(signal, () => ended.reject(signal.reason));
    call.on('finish', () => ended.resolve());
    expected.settle.resolve(call);
    await ended.promise;
  }
}
