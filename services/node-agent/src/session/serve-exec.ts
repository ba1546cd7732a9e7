import type { ExecRequest } from '@navarch/proto';
import { ApiError } from '@navarch/machinery';
import type { Runtime } from '../runtime/runtime.ts';
import { feed, pass } from './carry-streams.ts';
import type { FrameStream } from './frame-stream.ts';
import type { PodAccess } from './pod-access.ts';

const killSignal = 9;
const hangUpSignal = 1;

/** Runs a program in a container, with its streams on `stream`. It ends with the caller: nobody could stop it later. */
export async function serveExec(
  request: ExecRequest,
  stream: FrameStream,
  { access, runtime }: { access: PodAccess; runtime: Runtime },
): Promise<void> {
  if (request.command.length === 0) throw new ApiError('BadRequest', 'a command is needed');
  const container = await access.running(request);
  const { command, tty, stdin, size } = request;
  const process = await runtime.exec(container.id, { command, tty, stdin });
  const hungUp = () => void process.kill(tty ? hangUpSignal : killSignal).catch(() => undefined);
  stream.signal.addEventListener('abort', hungUp, { once: true });
  try {
    await stream.send({ $case: 'ready', value: true });
    if (size) await process.resize(size.width, size.height).catch(() => undefined);
    const input = feed(stream, process);
    await Promise.all([
      pass(process.stdout, 'stdout', stream),
      process.stderr && pass(process.stderr, 'stderr', stream),
      process.exit,
    ]);
    const { exitCode } = await process.exit;
    await stream.send({ $case: 'exit', value: exitCode });
    stream.end();
    await input;
  } finally {
    stream.signal.removeEventListener('abort', hungUp);
  }
}
