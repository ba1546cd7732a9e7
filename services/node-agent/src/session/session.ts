import { type Client, Client as GrpcClient, credentials } from '@grpc/grpc-js';
import { abortable, Backoff, type Clock, type Component, grpcClientOptions, type Logger, retry } from '@navarch/kit';
import { ApiError, errorDetail, toApiError } from '@navarch/machinery';
import { type AgentMessage, NodeSessionsService, type OpenStream, type StreamFrame } from '@navarch/proto';
import type { Runtime } from '../runtime/runtime.ts';
import { trouble } from '../trouble.ts';
import { type FrameStream, frameStream } from './frame-stream.ts';
import type { PodAccess } from './pod-access.ts';
import { serveAttach } from './serve-attach.ts';
import { serveExec } from './serve-exec.ts';
import { serveLogs } from './serve-logs.ts';
import { servePortForward } from './serve-port-forward.ts';

export interface SessionOptions {
  /** The api: `host:port`. */
  readonly address: string;
  readonly nodeName: string;
  readonly access: PodAccess;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** More streams at once than users open; what comes beyond is refused. */
const mostStreams = 256;

/** The agent's standing call to the api, over which it is asked to open streams. The agent dials; nobody dials the agent. */
export class Session implements Component {
  readonly name = 'session';
  readonly #options: SessionOptions;
  readonly #grpc: Client;
  readonly #open = new Set<Promise<void>>();
  #loop: Promise<void> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#grpc = new GrpcClient(options.address, credentials.createInsecure(), grpcClientOptions);
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const backoff = new Backoff({ baseMs: 100, maxMs: 5_000 });
    const onError = (error: unknown, delayMs: number) => {
      logger.debug({ ...trouble(toApiError(error)), delayMs }, 'no session with the api; trying again');
    };
    this.#loop = retry((aborting) => this.#hold(aborting, backoff), { backoff, signal, clock, onError }).catch(
      (error: unknown) => {
        if (!signal.aborted) logger.error({ err: error }, 'the session with the api ended');
      },
    );
  }

  async stop(): Promise<void> {
    await this.#loop;
    await Promise.all(this.#open);
    this.#grpc.close();
  }

  /** One session, until it breaks. */
  async #hold(signal: AbortSignal, backoff: Backoff): Promise<void> {
    const { nodeName, logger } = this.#options;
    const { path, requestSerialize, responseDeserialize } = NodeSessionsService.connect;
    const call = this.#grpc.makeBidiStreamRequest<AgentMessage, OpenStream>(
      path,
      requestSerialize,
      responseDeserialize,
      {},
    );
    call.on('error', () => {}); // the loop below throws it
    const cancel = () => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      call.write({ nodeName });
      for await (const message of call) {
        backoff.reset();
        // grpc-js types a stream's messages as any; this method's deserializer makes these.
        const { streamId } = message as OpenStream;
        if (streamId === '') continue;
        if (this.#open.size >= mostStreams) {
          logger.warn({ streams: this.#open.size }, 'too many streams are open; refusing another');
          continue;
        }
        const served = this.#serve(streamId, signal).finally(() => this.#open.delete(served));
        this.#open.add(served);
      }
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
    throw new ApiError('Unavailable', 'the api closed the session');
  }

  async #serve(streamId: string, signal: AbortSignal): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = NodeSessionsService.serve;
    const call = this.#grpc.makeBidiStreamRequest<StreamFrame, StreamFrame>(
      path,
      requestSerialize,
      responseDeserialize,
      {},
    );
    call.on('error', () => {}); // ends the stream's signal
    const stream = frameStream(call, signal);
    try {
      await stream.send({ $case: 'open', value: streamId });
      await abortable(this.#answer(stream), stream.signal);
      stream.end();
    } catch (error) {
      if (stream.signal.aborted) return;
      await stream.send({ $case: 'error', value: errorDetail(toApiError(error)) });
      stream.end();
    } finally {
      if (signal.aborted) call.cancel();
    }
  }

  async #answer(stream: FrameStream): Promise<void> {
    const { value: frame } = await stream.frames.next();
    if (!frame) return;
    if (frame.$case === 'logs') return serveLogs(frame.value, stream, this.#options);
    if (frame.$case === 'exec') return serveExec(frame.value, stream, this.#options);
    if (frame.$case === 'attach') return serveAttach(frame.value, stream, this.#options);
    if (frame.$case === 'portForward') return servePortForward(frame.value, stream, this.#options);
    throw new ApiError('BadRequest', `a stream can't begin with "${frame.$case}"`);
  }
}
