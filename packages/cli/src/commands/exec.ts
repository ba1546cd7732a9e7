import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { Command } from 'commander';
import { chooseContainer, choosePod } from '../choose-pod.ts';
import { containerOption } from '../options.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { connectTerminal } from '../terminal.ts';

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
  const { namespace, name } = pod.metadata;
  const container = chooseContainer(session, pod, options.container);
  const code = await connectTerminal(session, options, ({ stdin, tty, size }, signal) =>
    session.client().pods.exec({ namespace, name, container, command: [...command], stdin, tty, size }, signal),
  );
  if (code === undefined) throw new UserError('the connection ended before the program did');
  if (code !== 0 && options.tty !== true) session.warn(`command terminated with exit code ${code}\n`);
  return code;
}
