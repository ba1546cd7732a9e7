import type { ExecInput, ExecSession } from '@navarch/client';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { Command } from 'commander';
import { chooseContainer, choosePod } from '../choose-pod.ts';
import { containerOption } from '../options.ts';
import type { Runner } from '../runner.ts';
import { type Io, type Session, UserError } from '../session.ts';

interface ExecOptions {
  readonly container?: string;
  readonly stdin?: boolean;
  readonly tty?: boolean;
}

export const execCommand = (run: Runner) =>
  new Command('exec')
    .description('Run a program in a container')
    .argument('<target>', 'a Pod, or TYPE/NAME')
    .argument('<command...>', 'the program and its arguments, after --')
    .addOption(containerOption())
    .option('-i, --stdin', 'pass standard input on')
    .option('-t, --tty', 'give the program a terminal')
    .addHelpText('after', '\nExamples:\n  navctl exec web -- ls /\n  navctl exec -it deploy/web -- sh')
    .action(run(exec));

async function exec(
  session: Session,
  target: string,
  command: readonly string[],
  options: ExecOptions,
): Promise<number> {
  return await execIn(session, await choosePod(session, target), command, options);
}

/** Runs a program in a container of a Pod, and gives its exit code. */
export async function execIn(
  session: Session,
  pod: Live<Pod>,
  command: readonly string[],
  options: ExecOptions,
): Promise<number> {
  const { io } = session;
  const { namespace, name } = pod.metadata;
  const stdin = options.stdin === true;
  const tty = options.tty === true && stdin && io.stdin.isTTY === true;
  if (options.tty === true && !tty)
    session.warn('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  const container = chooseContainer(session, pod, options.container);
  const size = tty ? { width: io.stdout.columns || 80, height: io.stdout.rows || 24 } : undefined;
  const hangUp = new AbortController();
  const signal = AbortSignal.any([io.signal, hangUp.signal]);
  const running = await session
    .client()
    .pods.exec({ namespace, name, container, command: [...command], stdin, tty, ...(size && { size }) }, signal);
  using _terminal = tty ? rawTerminal(io, running) : undefined;
  using _input = stdin ? passInput(io, running, () => hangUp.abort()) : undefined;
  const code = await showOutput(io, running);
  if (code !== 0 && !tty) session.warn(`command terminated with exit code ${code}\n`);
  return code;
}

async function showOutput(io: Io, running: ExecSession): Promise<number> {
  for await (const piece of running.output) {
    if (piece.type === 'exit') return piece.code;
    const stream = piece.type === 'stdout' ? io.stdout : io.stderr;
    if (!stream.write(piece.data)) await new Promise<void>((resolve) => stream.once('drain', resolve));
  }
  throw new UserError('the connection ended before the program did');
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
