import {
  type CallOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  Client as GrpcClient,
  connectivityState,
  credentials,
  Metadata,
  type MethodDefinition,
} from '@grpc/grpc-js';
import { Backoff, type Clock, grpcClientOptions, type Logger, onAbort } from '@navarch/kit';
import { ApiError, isApiError, readWarnings, toApiError } from '@navarch/machinery';

const defaultTimeoutMs = 30_000;
/** How long a call waits for a connection: enough for an api that is being started anew. */
const connectTimeoutMs = 5_000;
const readAttempts = 3;

export interface UnaryOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Travels with the call: who it is made for. */
  readonly metadata?: Metadata;
  /** Told what the api says besides this call's answer; the connection's own listener otherwise. */
  readonly onWarning?: (text: string) => void;
}

/** One channel to the api. Whatever goes wrong on it is thrown as an ApiError. */
export class Connection {
  readonly address: string;
  readonly #grpc: GrpcClient;
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  readonly #onWarning: ((text: string) => void) | undefined;
  #closed = false;

  constructor(options: {
    address: string;
    clock: Clock;
    logger: Logger | undefined;
    onWarning?: ((text: string) => void) | undefined;
    program?: string | undefined;
  }) {
    this.address = options.address;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#onWarning = options.onWarning;
    this.#grpc = new GrpcClient(options.address, credentials.createInsecure(), {
      ...grpcClientOptions,
      ...(options.program === undefined ? {} : { 'grpc.primary_user_agent': options.program }),
    });
  }

  /** A call that may change something: made once. */
  unary<Q, R>(method: MethodDefinition<Q, R>, request: Q, options: UnaryOptions = {}): Promise<R> {
    return this.#call(method, request, options, 1);
  }

  /** A call that changes nothing: made again when the connection is lost under it. */
  read<Q, R>(method: MethodDefinition<Q, R>, request: Q, options: UnaryOptions = {}): Promise<R> {
    return this.#call(method, request, options, readAttempts);
  }

  async #call<Q, R>(method: MethodDefinition<Q, R>, request: Q, options: UnaryOptions, attempts: number): Promise<R> {
    const { timeoutMs = defaultTimeoutMs, signal } = options;
    const deadline = Date.now() + timeoutMs; // gRPC's deadlines are moments of the machine's own clock
    const backoff = new Backoff({ baseMs: 50, maxMs: 500, jitter: 0.5 });
    for (;;) {
      signal?.throwIfAborted();
      await this.#connected(Math.min(deadline, Date.now() + connectTimeoutMs));
      try {
        return await this.#callOnce(method, request, deadline, options);
      } catch (error) {
        signal?.throwIfAborted();
        if (!isApiError(error, 'Unavailable') || backoff.failures >= attempts - 1) throw error;
        const delayMs = backoff.next();
        this.#logger?.debug({ err: error, delayMs, method: method.path }, 'reading again');
        await this.#clock.sleep(delayMs, signal);
      }
    }
  }

  async #callOnce<Q, R>(
    method: MethodDefinition<Q, R>,
    request: Q,
    deadline: number,
    { signal, metadata = new Metadata(), onWarning = this.#onWarning }: UnaryOptions,
  ): Promise<R> {
    signal?.throwIfAborted();
    const { path, requestSerialize, responseDeserialize } = method;
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    const call = this.#grpc.makeUnaryRequest<Q, R>(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      { deadline },
      (error, response) => {
        if (error) reject(this.#explain(error));
        else if (response === undefined) reject(new ApiError('InternalError', `${path} answered nothing`));
        else resolve(response);
      },
    );
    if (onWarning !== undefined) {
      call.on('status', (status) => {
        for (const warning of readWarnings(status.metadata)) onWarning(warning);
      });
    }
    using _abort = signal && onAbort(signal, () => call.cancel());
    return await promise;
  }

  /**
   * What the api streams. Reads on only as fast as the caller does: a slow caller slows the api down. Ends when `signal`
   * aborts, or with the stream; throws otherwise. `metadata` travels with the call.
   */
  async *stream<Q, R>(
    method: MethodDefinition<Q, R>,
    request: Q,
    signal?: AbortSignal,
    metadata = new Metadata(),
  ): AsyncGenerator<R, void, void> {
    if (signal?.aborted) return;
    await this.#connected(Date.now() + connectTimeoutMs);
    const { path, requestSerialize, responseDeserialize } = method;
    const call = this.#grpc.makeServerStreamRequest<Q, R>(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
    );
    yield* this.messages(call, signal);
  }

  /** What comes on a call, as above; `signal` ends the call from now on, also before the first read. */
  messages<R>(call: ClientReadableStream<R>, signal?: AbortSignal): AsyncGenerator<R, void, void> {
    // An error may come before the first read or after the last, when no loop listens.
    let failure: Error | undefined;
    call.on('error', (error) => (failure = error));
    const listener = signal && onAbort(signal, () => call.cancel());
    return this.#read(call, signal, () => {
      listener?.[Symbol.dispose]();
      return failure;
    });
  }

  async *#read<R>(call: ClientReadableStream<R>, signal: AbortSignal | undefined, end: () => Error | undefined) {
    try {
      for await (const message of call) {
        // grpc-js deserializes with the method's own function; Readable just can't say so.
        yield message as R;
        if (signal?.aborted) return;
      }
      const failure = end();
      if (failure) throw failure;
    } catch (error) {
      if (!signal?.aborted) throw this.#explain(error);
    } finally {
      end();
      call.cancel();
    }
  }

  /** Both sides talk. */
  async duplex<Q, R>(
    method: MethodDefinition<Q, R>,
    options: CallOptions = {},
    metadata = new Metadata(),
  ): Promise<ClientDuplexStream<Q, R>> {
    await this.#connected(Date.now() + connectTimeoutMs);
    const { path, requestSerialize, responseDeserialize } = method;
    return this.#grpc.makeBidiStreamRequest<Q, R>(path, requestSerialize, responseDeserialize, metadata, options);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#grpc.close();
  }

  async #connected(deadline: number): Promise<void> {
    if (this.#closed) throw new ApiError('Unavailable', `the connection to the api at ${this.address} was closed`);
    if (this.#grpc.getChannel().getConnectivityState(true) === connectivityState.READY) return;
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.#grpc.waitForReady(deadline, resolve);
    const error = await promise;
    if (!error) return;
    throw new ApiError('Unavailable', `no connection to the api at ${this.address}: is it running there?`, {
      cause: error,
    });
  }

  #explain(error: unknown): ApiError {
    const explained = toApiError(error);
    // grpc-js speaks of channels and addresses it tried; what helps is which api it was.
    if (explained.reason !== 'Unavailable' || !explained.message.startsWith('No connection established'))
      return explained;
    return new ApiError('Unavailable', `lost the connection to the api at ${this.address}`, { cause: error });
  }
}
