import type { handleUnaryCall, Metadata, sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { UnknownKind } from '@navarch/kinds';
import {
  ApiError,
  forwardedAgentKey,
  isApiError,
  toApiError,
  toServiceError,
  warningMetadata,
} from '@navarch/machinery';
import { authenticate, type Caller } from '../access/caller.ts';
import { Denied } from '../pipeline/access.ts';
import type { CallMetrics } from './call-metrics.ts';

/** A call without a deadline of its own gets this one. */
const longestCallMs = 60_000;

/** Who calls, as a handler sees them. */
export interface CallContext {
  readonly caller: Caller;
  /** Adds a sentence to what the caller is told besides the answer, or the error; once, however often. */
  readonly warn: (text: string) => void;
  /** What the calling program names itself; '' when it does not. */
  readonly program: string;
}

/** What answers a call. */
export type Handle<Request> = (request: Request, signal: AbortSignal, context: CallContext) => Promise<Buffer>;

/** Makes a gRPC handler of a function: its result is already encoded, its error becomes a status with details. */
export function unary<Request>(
  method: string,
  metrics: CallMetrics,
  handle: Handle<Request>,
): handleUnaryCall<Request, Buffer> {
  return (call, callback) => {
    const done = metrics.started(method);
    void answer(call, callback, handle, done);
  };
}

/** Waits until everything that was committed before is known. */
export type Freshen = (signal: AbortSignal) => Promise<unknown>;

/**
 * Makes handlers as `unary` does, which run again what has named a kind that is not known, or was refused, once everything is
 * known that was committed before the call: the kind, or the right, may have been given at another replica a moment ago.
 * `last` tells that there is no further try.
 */
export function unaryKnowing(fresh: Freshen) {
  return <Request>(
    method: string,
    metrics: CallMetrics,
    handle: (...args: [...Parameters<Handle<Request>>, last: boolean]) => Promise<Buffer>,
  ): handleUnaryCall<Request, Buffer> =>
    unary(method, metrics, (request: Request, signal, context) =>
      knowingKinds(fresh, signal, (last) => handle(request, signal, context, last)),
    );
}

/** As unaryKnowing, for what is no unary call. */
export async function knowingKinds<R>(
  fresh: Freshen,
  signal: AbortSignal,
  run: (last: boolean) => Promise<R>,
): Promise<R> {
  try {
    return await run(false);
  } catch (error) {
    if (!(error instanceof UnknownKind || error instanceof Denied)) throw error;
    await fresh(signal);
    return await run(true);
  }
}

async function answer<Request>(
  call: ServerUnaryCall<Request, Buffer>,
  callback: sendUnaryData<Buffer>,
  handle: Handle<Request>,
  done: (error?: ApiError) => void,
): Promise<void> {
  const ended = new AbortController();
  const warnings = new Set<string>();
  // grpc-js says this of every call once its stream is closed, hence the `off` below.
  const cancel = () => ended.abort(new ApiError('Cancelled', 'the caller gave up'));
  call.on('cancelled', cancel);
  const late = setTimeout(
    () => ended.abort(new ApiError('Timeout', `the call took longer than ${longestCallMs} ms`)),
    longestCallMs,
  );
  try {
    const warn = (text: string) => warnings.add(text);
    const caller = authenticate(call.metadata);
    const response = await handle(call.request, ended.signal, { caller, warn, program: programOf(call) });
    done();
    callback(null, response, warnings.size === 0 ? undefined : warningMetadata([...warnings]));
  } catch (error) {
    const apiError = asApiError(error, ended.signal);
    done(apiError);
    const status = toServiceError(apiError);
    warningMetadata([...warnings], status.metadata);
    callback(status);
  } finally {
    clearTimeout(late);
    call.off('cancelled', cancel);
  }
}

/**
 * The first word of the user agent, without its version, as Kubernetes names a writer that gives no name: the client of
 * "grpcurl/1.9 grpc-go/1.61" is grpcurl. A gRPC library alone names no program. Who calls for another, as the gateway does,
 * passes on that one's user agent.
 */
function programOf({ metadata }: { readonly metadata: Metadata }): string {
  const [agent = ''] = [...metadata.get(forwardedAgentKey), ...metadata.get('user-agent')];
  return /^(?!grpc-)[!-.0-~]{1,128}/.exec(String(agent))?.[0] ?? '';
}

/** What ended a call: when it was cut short, the reason for that rather than what broke because of it. */
export function asApiError(error: unknown, signal: AbortSignal): ApiError {
  if (signal.aborted && isApiError(signal.reason)) return signal.reason;
  return toApiError(error);
}
