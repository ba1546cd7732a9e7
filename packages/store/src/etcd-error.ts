import { type ServiceError, status } from '@grpc/grpc-js';
import { ApiError, type Reason } from '@navarch/machinery';

/** Whether the call may have changed something: then an unknown outcome has to be said. */
export type CallKind = 'read' | 'write';

/**
 * What a failed call to etcd means to the caller. etcd's messages, which start with `etcdserver: `, are part of its API:
 * https://github.com/etcd-io/etcd/blob/v3.4.23/etcdserver/api/v3rpc/rpctypes/error.go
 */
export function fromEtcdError(error: ServiceError, where: string, kind: CallKind): ApiError {
  const said = error.details;
  const fromServer = said.startsWith('etcdserver: ');
  const fail = (reason: Reason, message: string) => new ApiError(reason, message, { cause: error });
  switch (error.code) {
    case status.OUT_OF_RANGE:
      return fail('Expired', `${withoutPrefix(said)}: list again`);
    case status.INVALID_ARGUMENT:
      return said.includes('too large') || said.includes('too many operations')
        ? fail('RequestEntityTooLarge', `etcd at ${where} refuses: ${withoutPrefix(said)}; split the transaction`)
        : fail('BadRequest', `etcd at ${where} refuses: ${withoutPrefix(said)}`);
    case status.RESOURCE_EXHAUSTED:
      if (!fromServer && kind === 'read')
        return fail('RequestEntityTooLarge', `an answer of etcd at ${where}: ${said}`);
      if (said.includes('too many requests'))
        return fail('TooManyRequests', `etcd at ${where} has too much to do; try later`);
      if (said.includes('space exceeded')) {
        return fail(
          'InsufficientStorage',
          `etcd at ${where} is full: nothing was written; make room by deleting objects`,
        );
      }
      break;
    case status.CANCELLED:
      if (kind === 'read') return fail('Cancelled', 'the call to etcd was cancelled');
      break;
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
      return fail('Unavailable', unreachable(where, kind, withoutPrefix(said)));
    default:
  }
  // What grpc-js itself reports (a reset stream, an answer beyond the receive limit) says nothing about a write's fate.
  if (fromServer) return fail('InternalError', `etcd at ${where}: ${withoutPrefix(said)}`);
  return fail('Unavailable', unreachable(where, kind, said));
}

function unreachable(where: string, kind: CallKind, said: string): string {
  const advice =
    kind === 'write' ? 'whether the write was committed is unknown, so read before you try again' : 'is it running?';
  return `etcd at ${where} can't be reached (${said}): ${advice}`;
}

function withoutPrefix(said: string): string {
  return said.replace(/^etcdserver: (mvcc: )?/, '');
}
