import type { ExecInput, ExecSession } from '@navarch/client';
import type { Io, Session } from './session.ts';

interface TerminalFlags {
  readonly stdin?: boolean;
  readonly tty?: boolean;
}

/** What of this terminal a program gets. */
interface Given {
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly size: { readonly width: number; readonly height: number } | undefined;
}

/**
 * Connects a program to this terminal until it ends, and puts the terminal back then. Gives its exit code; undefined when the
 * connection ended and the program did not.
 */
export async function connectTerminal(
  session: Session,
  flags: TerminalFlags,
  connect: (given: Given, signal: AbortSignal) => Promise<ExecSession>,
): Promise<number | undefined> {
  const { io } = session;
  const stdin = flags.stdin === true;
  const tty = flags.tty === true && stdin && io.stdin.isTTY === true;
  if (flags.tty === true && !tty)
    session.warn('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  const size = tty ? { width: io.stdout.columns || 80, height: io.stdout.rows || 24 } : undefined;
  const hangUp = new AbortController();
  const running = await connect({ stdin, tty, size }, AbortSignal.any([io.signal, hangUp.signal]));
  using _terminal = tty ? rawTerminal(io, running) : undefined;
  using _input = stdin ? passInput(io, running, () => hangUp.abort()) : undefined;
  return await showOutput(io, running);
}

async function showOutput(io: Io, running: ExecSession): Promise<number | undefined> {
  for await (const piece of running.output) {
    if (piece.type === 'exit') return piece.code;
    const stream = piece.type === 'stdout' ? io.stdout : io.stderr;
    if (!stream.write(piece.data)) await new Promise<void>((resolve) => stream.once('drain', resolve));
  }
  return undefined;
}

/** Passes stdin on until it ends; reads no faster than the program does. Disposing stops it. */
function passInput({ stdin }: Io, running: ExecSession, hangUp: () => void): Disposable {
  const send = (input: ExecInput) => {
    // What goes wrong with the connection is thrown where the output is read.
    running.send(input).then(
      () => stdin.resume(),
      () => hangUp(),
    );
  };
  const onData = (data: Buffer | string) => {
    stdin.pause();
    send({ type: 'stdin', data: Buffer.from(data as Buffer) }); // Buffer.from takes either
  };
  const onEnd = () => send({ type: 'end' });
  stdin.on('data', onData).once('end', onEnd);
  return {
    [Symbol.dispose]: () => {
      stdin.off('data', onData).off('end', onEnd).pause();
      stdin.unref?.();
    },
  };
}

/** Hands every key to the program, and the terminal's size whenever it changes. Disposing puts the terminal back. */
function rawTerminal({ stdin, stdout }: Io, running: ExecSession): Disposable {
  const onResize = () => {
    const { columns: width = 80, rows: height = 24 } = stdout;
    void running.send({ type: 'resize', width, height }).catch(() => undefined); // thrown where the output is read
  };
  stdin.setRawMode?.(true);
  stdout.on('resize', onResize);
  return {
    [Symbol.dispose]: () => {
      stdout.off('resize', onResize);
      stdin.setRawMode?.(false);
    },
  };
}
