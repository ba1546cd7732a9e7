import type { Clock } from '@navarch/kit';
import type { LogsRequest } from '@navarch/proto';
import { ApiError } from '@navarch/machinery';
import { readLog } from '../runtime/log-reader.ts';
import type { FrameStream } from './frame-stream.ts';
import type { PodAccess } from './pod-access.ts';

/** Answers a request for logs. */
export async function serveLogs(
  request: LogsRequest,
  stream: FrameStream,
  { access, clock }: { access: PodAccess; clock: Clock },
): Promise<void> {
  // One that is made but has not started has said nothing yet: until it does, the one before it is the last that spoke.
  const [newest, before] = (await access.instances(request)).filter(({ state }) => state !== 'created');
  const wanted = request.previous ? before : newest;
  if (!wanted && request.previous) {
    throw new ApiError(
      'BadRequest',
      `the container of Pod "${request.name}" was not restarted: there is no previous one`,
    );
  }
  if (!wanted) throw access.waiting(request);
  const chunks = readLog(wanted.logPath, {
    follow: request.follow,
    tailLines: request.tailLines,
    sinceMs: sinceMs(request, clock.now()),
    timestamps: request.timestamps,
    mayGrow: async () => {
      const found = (await access.instances(request)).find(({ id }) => id === wanted.id);
      return found?.state === 'running';
    },
    clock,
    signal: stream.signal,
  });
  let leftBytes = Number(request.limitBytes ?? Infinity);
  for await (const { stream: name, data } of chunks) {
    const piece = data.subarray(0, leftBytes);
    await stream.send({ $case: name, value: piece });
    leftBytes -= piece.length;
    if (leftBytes === 0) return;
  }
}

function sinceMs({ sinceSeconds, sinceTime }: LogsRequest, now: number): number | undefined {
  if (sinceTime !== '') return Date.parse(sinceTime);
  return sinceSeconds === undefined ? undefined : now - sinceSeconds * 1000;
}
