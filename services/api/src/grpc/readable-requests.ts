import type {
  handleServerStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  ServiceDefinition,
  UntypedHandleCall,
} from '@grpc/grpc-js';
import { ApiError, toApiError, toServiceError } from '@navarch/machinery';
import type { GrpcService } from '../server.ts';
import type { CallMetrics } from './call-metrics.ts';

/** What stands in the place of a request that can't be read. */
class Unreadable {
  readonly error: ApiError;

  constructor(error: ApiError) {
    this.error = error;
  }
}

/**
 * A service whose callers hear BadRequest when they send what is no message. Left to itself grpc-js answers INTERNAL, as if
 * the fault were ours.
 */
export function readableRequests({ definition, handlers }: GrpcService, metrics: CallMetrics): GrpcService {
  const methods = Object.entries(definition);
  return {
    definition: Object.fromEntries(methods.map(([name, method]) => [name, reading(method)])) as ServiceDefinition,
    handlers: Object.fromEntries(
      methods.map(([name, method]) => {
        const handler = handlers[name];
        if (handler === undefined) throw new Error(`nothing handles ${method.path}`);
        return [name, refusing(name, method, handler, metrics)];
      }),
    ),
  };
}

/** What `decode` makes of `encoded`. Throws BadRequest when it is no such message. */
export function readMessage<T>(decode: (encoded: Buffer) => T, encoded: Buffer): T {
  try {
    return decode(encoded);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ApiError('BadRequest', `the request can not be read as a protobuf message: ${why}`, { cause: error });
  }
}

/** A message that came on a stream. Throws what is wrong with one that could not be read. */
export function readable<T>(message: T): T {
  if (message instanceof Unreadable) throw message.error;
  return message;
}

function reading(method: MethodDefinition<unknown, unknown>): MethodDefinition<unknown, unknown> {
  return {
    ...method,
    requestDeserialize: (encoded) => {
      try {
        return readMessage(method.requestDeserialize, encoded);
      } catch (error) {
        return new Unreadable(toApiError(error));
      }
    },
  };
}

/** Streams of requests read their messages themselves, with `readable`. */
function refusing(
  name: string,
  { requestStream, responseStream }: MethodDefinition<unknown, unknown>,
  handler: UntypedHandleCall,
  metrics: CallMetrics,
): UntypedHandleCall {
  if (requestStream) return handler;
  const refusal = ({ error }: Unreadable) => {
    metrics.started(name.charAt(0).toUpperCase() + name.slice(1))(error);
    return toServiceError(error);
  };
  // What kind of handler it is follows from the method, which the type of handlers does not say.
  if (responseStream) {
    const stream = handler as handleServerStreamingCall<unknown, unknown>;
    return ((call) => {
      if (call.request instanceof Unreadable) call.emit('error', refusal(call.request));
      else stream(call);
    }) satisfies typeof stream;
  }
  const unary = handler as handleUnaryCall<unknown, unknown>;
  return ((call, callback) => {
    if (call.request instanceof Unreadable) callback(refusal(call.request));
    else unary(call, callback);
  }) satisfies typeof unary;
}
