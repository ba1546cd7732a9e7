import { type Clock, onAbort } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import type { Readable } from 'node:stream';
import { readable } from '../grpc/readable-requests.ts';

/** The first message of a stream, which is paused after it. Throws BadRequest when none comes in time, or none that can be read. */
export async function firstMessage<T>(
  stream: Readable,
  options: { what: string; timeoutMs: number; clock: Clock; signal: AbortSignal },
): Promise<T> {
  const { what, timeoutMs, clock, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onData = (message: T) => {
    stream.pause();
    stream.off('data', onData);
    try {
      resolve(readable(message));
    } catch (error) {
      reject(error);
    }
  };
  const onEnd = () => reject(new ApiError('BadRequest', `the stream ended before ${what}`));
  stream.on('data', onData);
  stream.on('end', onEnd);
  using _timer = clock.timer(timeoutMs, () =>
    reject(new ApiError('BadRequest', `${what} did not come within ${timeoutMs} ms`)),
  );
  using _abort = onAbort(signal, () => reject(signal.reason));
  try {
    return await promise;
  } finally {
    stream.off('data', onData);
    stream.off('end', onEnd);
  }
}
