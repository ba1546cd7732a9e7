import {
  type CallOptions,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientUnaryCall,
  credentials,
  Metadata,
  type ServiceError,
  type requestCallback,
  status,
} from '@grpc/grpc-js';
import { Backoff, type Clock, grpcClientOptions, onAbort } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import { etcd } from '@navarch/proto';
import { type CallKind, fromEtcdError } from './etcd-error.ts';
import { closedError } from './revisions.ts';

export interface ConnectionOptions {
  /** `host:port`, or several addresses of one cluster's members with commas between. */
  readonly endpoints: string;
  /** How long a call may take before it is Unavailable. */
  readonly deadlineMs: number;
  readonly clock: Clock;
}

type Unary<Request, Response> = (
  kv: etcd.KVClient,
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

const channelOptions: ClientOptions = {
  ...grpcClientOptions,
  // A list's chunk, or the conflicts of one group: at most 128 objects of the size that a transaction may have.
  'grpc.max_receive_message_length': 256 * 1024 * 1024,
  // etcd refuses pings that come more often than every 5 s, and any on a connection without calls.
  'grpc.keepalive_time_ms': 7_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.keepalive_permit_without_calls': 0,
  // What is sent twice is decided here and nowhere else.
  'grpc.enable_retries': 0,
  // Own connections: a watch's backlog must not stand in front of a commit.
  'grpc.use_local_subchannel_pool': 1,
};

const { path, responseDeserialize } = etcd.KVService.txn;

/** One for all transactions: its buffer has grown to their size already, and growing one takes most of the time. */
const writer = etcd.TxnRequest.encode({ compare: [], success: [], failure: [] });

function encodeTxn(request: etcd.TxnRequest): Buffer {
  try {
    const { buffer, byteOffset, length } = etcd.TxnRequest.encode(request, writer).finish();
    return Buffer.from(buffer, byteOffset, length);
  } catch (error) {
    // Of a transaction that can't be encoded nothing must stay in it.
    writer.finish();
    throw error;
  }
}

const encodedTxn: Unary<Buffer, etcd.TxnResponse> = (kv, encoded, metadata, options, callback) => {
  const told = callback as requestCallback<etcd.TxnResponse>; // without an error there is a response, as for generated methods
  return kv.makeUnaryRequest(path, (bytes) => bytes, responseDeserialize, encoded, metadata, options, told);
};

/** The channels to etcd, one for calls and one for watches, and the rule for what is retried: reads are, writes never. */
export class EtcdConnection {
  /** The endpoints, for messages. */
  readonly where: string;
  readonly #options: ConnectionOptions;
  readonly #credentials: ChannelCredentials = credentials.createInsecure();
  readonly #target: string;
  #kv: etcd.KVClient;
  readonly #watch: etcd.WatchClient;
  readonly #closing = new AbortController();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.where = options.endpoints;
    this.#target = targetOf(options.endpoints);
    this.#kv = this.#newClient();
    this.#watch = new etcd.WatchClient(this.#target, this.#credentials, channelOptions);
  }

  /** Aborts on `close`: calls in flight are left to end, but streams have to be ended by who reads them. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  range(request: etcd.RangeRequest, signal?: AbortSignal): Promise<etcd.RangeResponse> {
    return this.#read((kv, ...rest) => kv.range(...rest), request, signal);
  }

  /**
   * Not retried: an error leaves open whether it was committed, unless etcd says that it refused. Encoded here, because gRPC
   * keeps what it is given until the answer comes: of a large group the bytes are little to keep, the message is a lot.
   */
  txn(request: etcd.TxnRequest): Promise<etcd.TxnResponse> {
    return this.#call(encodedTxn, encodeTxn(request), {
      kind: 'write',
      timeoutMs: this.#options.deadlineMs,
    });
  }

  /** Safe to repeat, hence a read as far as retries go. */
  compact(request: etcd.CompactionRequest, signal?: AbortSignal): Promise<etcd.CompactionResponse> {
    return this.#read((kv, ...rest) => kv.compact(...rest), request, signal);
  }

  openWatch(): ClientDuplexStream<etcd.WatchRequest, etcd.WatchResponse> {
    if (this.closing.aborted) throw closedError();
    return this.#watch.watch();
  }

  close(): void {
    this.#closing.abort();
    this.#kv.close();
    this.#watch.close();
  }

  async #read<Request, Response>(
    method: Unary<Request, Response>,
    request: Request,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const { clock, deadlineMs } = this.#options;
    const deadline = clock.monotonicMs() + deadlineMs;
    const backoff = new Backoff({ baseMs: 20, maxMs: 500 });
    for (;;) {
      const timeoutMs = deadline - clock.monotonicMs();
      try {
        return await this.#call(method, request, { kind: 'read', timeoutMs, signal });
      } catch (error) {
        const delayMs = backoff.next();
        const again = error instanceof ApiError && error.reason === 'Unavailable' && !this.closing.aborted;
        if (!again || clock.monotonicMs() + delayMs >= deadline) throw error;
        await clock.sleep(delayMs, signal).catch((cause: unknown) => {
          throw new ApiError('Cancelled', 'the call to etcd was cancelled', { cause });
        });
      }
    }
  }

  #call<Request, Response>(
    method: Unary<Request, Response>,
    request: Request,
    { kind, timeoutMs, signal }: { kind: CallKind; timeoutMs: number; signal?: AbortSignal | undefined },
  ): Promise<Response> {
    const kv = this.#kv;
    return new Promise((resolve, reject) => {
      if (this.closing.aborted) {
        reject(closedError());
        return;
      }
      // Waiting for a connection is safe, and rides out a restart of etcd; nothing is sent before there is one.
      const metadata = new Metadata({ waitForReady: true });
      const options = { deadline: Date.now() + timeoutMs };
      const call = method(kv, request, metadata, options, (error, response) => {
        listener?.[Symbol.dispose]();
        if (!error) {
          resolve(response);
          return;
        }
        if (error.code === status.DEADLINE_EXCEEDED) this.#replace(kv);
        reject(this.closing.aborted ? closedError() : fromEtcdError(error, this.where, kind));
      });
      const listener = signal && onAbort(signal, () => call.cancel());
    });
  }

  /**
   * A connection that gave no answer in time may be dead without knowing it, and keepalive only looks while calls are
   * open. Calls in flight end on the old channel.
   */
  #replace(kv: etcd.KVClient): void {
    if (kv !== this.#kv || this.closing.aborted) return;
    this.#kv = this.#newClient();
    kv.close();
  }

  #newClient(): etcd.KVClient {
    return new etcd.KVClient(this.#target, this.#credentials, channelOptions);
  }
}

/** grpc-js takes a list of addresses, but only one name: https://github.com/grpc/grpc/blob/master/doc/naming.md */
function targetOf(endpoints: string): string {
  const list = endpoints.split(',').map((endpoint) => endpoint.trim().replace(/^http:\/\//, ''));
  for (const endpoint of list) {
    if (!/^[^\s:/]+:\d+$|^\[[0-9a-fA-F:]+\]:\d+$/.test(endpoint)) {
      throw new ApiError('BadRequest', `the etcd endpoint "${endpoint}" is not of the form host:port`);
    }
  }
  if (list.length === 1) return `dns:${list.join()}`;
  const addresses = list.every((endpoint) => /^[\d.]+:\d+$/.test(endpoint));
  if (!addresses)
    throw new ApiError('BadRequest', `several etcd endpoints must be IPv4 addresses, unlike "${endpoints}"`);
  return `ipv4:${list.join(',')}`;
}
