import { pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { Command, Option } from 'commander';
import { chooseContainer, choosePod } from '../choose-pod.ts';
import { containerOption, durationMs } from '../options.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { connectTerminal } from '../terminal.ts';
import { untilContainerRuns } from '../until-container-runs.ts';

interface AttachFlags {
  readonly container?: string;
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly quiet?: boolean;
  readonly podRunningTimeout: number;
}

export const attachCommand = (run: Runner) =>
  new Command('attach')
    .description("Connect to a container's own program")
    .argument('<target>', 'a Pod, or TYPE/NAME')
    .addOption(containerOption())
    .option('-i, --stdin', 'pass standard input on; the container must have stdin')
    .option('-t, --tty', 'the container has a terminal')
    .option('-q, --quiet', 'print only what the program writes')
    .addOption(
      new Option('--pod-running-timeout <duration>', 'how long to wait until it runs')
        .argParser(durationMs)
        .default(60_000, '1m'),
    )
    .addHelpText(
      'after',
      '\nShows what the program writes from now on; what it wrote before is in its log.\n\nExamples:\n  navctl attach -it shell\n  navctl attach deploy/web -c proxy',
    )
    .action(run(attach));

async function attach(session: Session, target: string, flags: AttachFlags): Promise<number> {
  const pod = await choosePod(session, target);
  const container = chooseContainer(session, pod, flags.container);
  const { namespace, name } = pod.metadata;
  const running = await untilContainerRuns(session, { namespace, name, container }, flags.podRunningTimeout);
  const code = (await attachTo(session, running, container, flags)) ?? 0;
  if (code !== 0 && flags.tty !== true) session.warn(`command terminated with exit code ${code}\n`);
  return code;
}

/** Connects to a container's program; gives its exit code, or undefined when it goes on. */
export async function attachTo(
  session: Session,
  { metadata, spec }: Live<Pod>,
  container: string,
  flags: Pick<AttachFlags, 'stdin' | 'tty' | 'quiet'>,
): Promise<number | undefined> {
  const { namespace, name } = metadata;
  const all = [...spec.containers, ...spec.initContainers, ...spec.ephemeralContainers];
  const own = all.find((each) => each.name === container);
  if (flags.stdin === true && own?.stdin !== true) {
    throw new UserError(
      `container ${container} of ${podKind.singular} ${name} was made without stdin; attach without -i`,
    );
  }
  const tty = flags.tty === true && own?.tty === true;
  if (flags.tty === true && !tty) session.warn(`Unable to use a TTY - container ${container} did not allocate one\n`);
  if (flags.quiet !== true && flags.stdin === true && tty) {
    session.warn("If you don't see a command prompt, try pressing enter.\n");
  }
  return await connectTerminal(session, { ...flags, tty }, (given, signal) =>
    session.client().pods.attach({ namespace, name, container, ...given }, signal),
  );
}
