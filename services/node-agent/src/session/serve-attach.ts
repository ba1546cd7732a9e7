import type { Clock } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import type { AttachRequest } from '@navarch/proto';
import type { Runtime } from '../runtime/runtime.ts';
import { feed, pass } from './carry-streams.ts';
import type { FrameStream } from './frame-stream.ts';
import type { PodAccess } from './pod-access.ts';

/** How long a container may take to show that it has ended after its output has. */
const endMs = 2_000;
const lookMs = 50;

/** Connects the far side to a container's own program. That ends with the container, or when either side lets go. */
export async function serveAttach(
  request: AttachRequest,
  stream: FrameStream,
  { access, runtime, clock }: { access: PodAccess; runtime: Runtime; clock: Clock },
): Promise<void> {
  const container = await access.running(request);
  const spec = access.containerOf(request);
  if (request.stdin && !spec.stdin) {
    throw new ApiError(
      'BadRequest',
      `container "${spec.name}" of Pod "${request.name}" has no stdin: attach without -i`,
    );
  }
  if (request.tty && !spec.tty) {
    throw new ApiError(
      'BadRequest',
      `container "${spec.name}" of Pod "${request.name}" has no terminal: attach without -t`,
    );
  }
  const attached = await runtime.attach(container.id, { stdin: request.stdin, tty: spec.tty });
  const close = () => attached.close();
  stream.signal.addEventListener('abort', close, { once: true });
  try {
    await stream.send({ $case: 'ready', value: true });
    const { size } = request;
    if (size) await attached.resize(size.width, size.height).catch(() => undefined);
    const input = feed(stream, attached);
    await Promise.all([
      pass(attached.stdout, 'stdout', stream),
      attached.stderr && pass(attached.stderr, 'stderr', stream),
    ]);
    const exitCode = await exitOf(container.id, request, { access, clock, signal: stream.signal });
    if (exitCode !== undefined) await stream.send({ $case: 'exit', value: exitCode });
    stream.end();
    await input;
  } finally {
    stream.signal.removeEventListener('abort', close);
    attached.close();
  }
}

/** Undefined when the container goes on: its stdin was let go of. */
async function exitOf(
  id: string,
  request: AttachRequest,
  { access, clock, signal }: { access: PodAccess; clock: Clock; signal: AbortSignal },
): Promise<number | undefined> {
  for (let waitedMs = 0; waitedMs < endMs && !signal.aborted; waitedMs += lookMs) {
    const instance = (await access.instances(request)).find((info) => info.id === id);
    if (instance?.state !== 'running') return instance?.exitCode;
    await clock.sleep(lookMs, signal).catch(() => undefined);
  }
  return undefined;
}
