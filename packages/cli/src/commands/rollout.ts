import { Command, Option } from 'commander';
import { type ChoiceOptions, chooseObjects, forEachOf, withChoice } from '../choose-objects.ts';
import { durationMs, wholeNumber } from '../options.ts';
import { followRollout } from '../rollout/follow.ts';
import type { CommandFactory, Runner } from '../runner.ts';
import type { Session } from '../session.ts';
import { rolloutHistoryCommand } from './rollout-history.ts';
import { pauseCommand, restartCommand, resumeCommand } from './rollout-change.ts';
import { abortCommand, promoteCommand } from './rollout-steps.ts';
import { rolloutUndoCommand } from './rollout-undo.ts';

/** What can be done with a rollout; a file each. */
const subcommands: readonly CommandFactory[] = [
  statusCommand,
  rolloutHistoryCommand,
  rolloutUndoCommand,
  restartCommand,
  pauseCommand,
  resumeCommand,
  promoteCommand,
  abortCommand,
];

export const rolloutCommand = (run: Runner) => {
  const command = new Command('rollout')
    .description('Follow, undo, hold or restart the rollout of a workload')
    .addHelpText(
      'after',
      '\nExamples:\n  navctl rollout status deploy/web\n  navctl rollout undo deploy/web\n  navctl rollout restart deploy -l app=web',
    );
  for (const factory of subcommands) command.addCommand(factory(run));
  return command;
};

interface StatusOptions extends ChoiceOptions {
  readonly watch: string;
  readonly timeout?: number;
  readonly revision?: number;
}

function statusCommand(run: Runner): Command {
  return withChoice(new Command('status'))
    .description('Show how far a rollout is, until it has finished. On a terminal, as a live picture')
    .addOption(new Option('-w, --watch [bool]', 'wait for the end').default('true').preset('true'))
    .addOption(new Option('--timeout <duration>', 'how long to wait; 0 for as long as it takes').argParser(durationMs))
    .addOption(
      new Option('--revision <number>', 'fail when another revision than this is rolled out').argParser(wholeNumber),
    )
    .addHelpText(
      'after',
      '\nExits with 0 when the rollout is done, and with 1 when it failed or took longer than --timeout.\n\nExamples:\n  navctl rollout status deploy/web\n  navctl rollout status deploy/web --timeout=2m\n  navctl rollout status deploy/web --watch=false',
    )
    .action(run(status));
}

async function status(session: Session, args: readonly string[], options: StatusOptions): Promise<number> {
  const { watch, timeout, revision } = options;
  const once = watch === 'false';
  const timeoutMs = timeout === 0 ? undefined : timeout;
  return forEachOf(session, await chooseObjects(session, args, options), (chosen) =>
    followRollout(session, chosen, { once, timeoutMs, revision: revision === 0 ? undefined : revision }),
  );
}
