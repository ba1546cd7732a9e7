import type { handleUnaryCall, sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { ApiError, isApiError, toApiError, toServiceError } from '@navarch/machinery';
import type { CallMetrics } from './call-metrics.ts';

/** A call without a deadline of its own gets this one. */
const longestCallMs = 60_000;

/** Makes a gRPC handler of a function: its result is already encoded, its error becomes a status with details. */
export function unary<Request>(
  method: string,
  metrics: CallMetrics,
  handle: (request: Request, signal: AbortSignal) => Promise<Buffer>,
): handleUnaryCall<Request, Buffer> {
  return (call, callback) => {
    const done = metrics.started(method);
    void answer(call, callback, handle, done);
  };
}

async function answer<Request>(
  call: ServerUnaryCall<Request, Buffer>,
  callback: sendUnaryData<Buffer>,
  handle: (request: Request, signal: AbortSignal) => Promise<Buffer>,
  done: (error?: ApiError) => void,
): Promise<void> {
  const ended = new AbortController();
  // grpc-js says this of every call once its stream is closed, hence the `off` below.
  const cancel = () => ended.abort(new ApiError('Cancelled', 'the caller gave up'));
  call.on('cancelled', cancel);
  const late = setTimeout(
    () => ended.abort(new ApiError('Timeout', `the call took longer than ${longestCallMs} ms`)),
    longestCallMs,
  );
  try {
    const response = await handle(call.request, ended.signal);
    done();
    callback(null, response);
  } catch (error) {
    const apiError = asApiError(error, ended.signal);
    done(apiError);
    callback(toServiceError(apiError));
  } finally {
    clearTimeout(late);
    call.off('cancelled', cancel);
  }
}

/** What ended a call: when it was cut short, the reason for that rather than what broke because of it. */
export function asApiError(error: unknown, signal: AbortSignal): ApiError {
  if (signal.aborted && isApiError(signal.reason)) return signal.reason;
  return toApiError(error);
}
