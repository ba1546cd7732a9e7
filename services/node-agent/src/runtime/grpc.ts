import { Client, credentials, type Metadata, type MethodDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { ApiError, type Reason } from '@navarch/machinery';

/** The generated services are typed loosely (`as const` objects), this is what a unary call needs of one method. */
export type Unary<Request, Response> = Pick<
  MethodDefinition<Request, Response>,
  'path' | 'requestSerialize' | 'responseDeserialize'
>;

/** One connection to the runtime's socket. grpc-js connects again by itself, with back-off, when the runtime restarts. */
export function connect(socket: string): Client {
  return new Client(`unix://${socket}`, credentials.createInsecure(), {
    // containerd's own limit; a list of many containers with long annotations passes grpc's default of 4 MiB.
    'grpc.max_receive_message_length': 16 << 20,
    'grpc.max_send_message_length': 16 << 20,
    'grpc.max_reconnect_backoff_ms': 3_000,
  });
}

const reasonByStatus: Partial<Record<status, Reason>> = {
  [status.NOT_FOUND]: 'NotFound',
  [status.UNAVAILABLE]: 'Unavailable',
  [status.DEADLINE_EXCEEDED]: 'Timeout',
  [status.CANCELLED]: 'Cancelled',
  [status.ALREADY_EXISTS]: 'AlreadyExists',
  [status.INVALID_ARGUMENT]: 'BadRequest',
  [status.UNIMPLEMENTED]: 'Unimplemented',
};

export function runtimeError(call: string, error: ServiceError): ApiError {
  return new ApiError(reasonByStatus[error.code] ?? 'InternalError', error.details || `${call}: ${error.message}`, {
    cause: error,
  });
}

/** Calls one method. Throws ApiError; aborting `signal` cancels the call. */
export function unary<Request, Response>(
  client: Client,
  method: Unary<Request, Response>,
  request: Request,
  options: { timeoutMs: number; signal?: AbortSignal | undefined; metadata?: Metadata },
): Promise<Response> {
  const { signal, timeoutMs, metadata } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new ApiError('Cancelled', `${method.path}: cancelled before it was sent`));
      return;
    }
    const callOptions = timeoutMs > 0 ? { deadline: Date.now() + timeoutMs } : {};
    const done = (error: ServiceError | null, response?: Response) => {
      signal?.removeEventListener('abort', abort);
      if (error) reject(runtimeError(method.path, error));
      else if (response === undefined) reject(new ApiError('InternalError', `${method.path}: empty answer`));
      else resolve(response);
    };
    const call = metadata
      ? client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          metadata,
          callOptions,
          done,
        )
      : client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          callOptions,
          done,
        );
    const abort = () => call.cancel();
    signal?.addEventListener('abort', abort, { once: true });
  });
}
