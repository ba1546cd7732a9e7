import type { ExecRequest } from '@navarch/proto';
import { ApiError } from '@navarch/machinery';
import type { Readable } from 'node:stream';
import type { ExecProcess, Runtime } from '../runtime/runtime.ts';
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

async function pass(source: Readable, name: 'stdout' | 'stderr', stream: FrameStream): Promise<void> {
  try {
    // The process waits while the far side is slow: the FIFO between them is full.
    for await (const data of source) await stream.send({ $case: name, value: data as Buffer });
  } catch (error) {
    // The stream was closed with the process; what it had written has been passed on.
    if (!source.destroyed) throw error;
  }
}

async function feed(stream: FrameStream, process: ExecProcess): Promise<void> {
  process.stdin?.on('error', () => {}); // the process closed its input: what still comes has no reader
  for await (const frame of stream.frames) {
    if (frame.$case === 'stdinEnd') process.stdin?.end();
    else if (frame.$case === 'resize')
      await process.resize(frame.value.width, frame.value.height).catch(() => undefined);
    else if (frame.$case === 'stdin' && process.stdin?.writable) {
      const full = !process.stdin.write(frame.value);
      if (full) await drained(process);
    }
  }
}

async function drained({ stdin, exit }: ExecProcess): Promise<void> {
  await Promise.race([new Promise((resolve) => stdin?.once('drain', resolve)), exit.catch(() => undefined)]);
}
