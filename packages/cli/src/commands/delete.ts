import { isApiError } from '@navarch/machinery';
import { DeleteRequest_Propagation } from '@navarch/proto';
import { Command, Option } from 'commander';
import { type ChoiceOptions, chooseObjects, withChoice } from '../choose-objects.ts';
import { errorText } from '../errors.ts';
import { dryRunOption, durationMs, isDryRun, wholeNumber } from '../options.ts';
import type { Runner } from '../runner.ts';
import { typeName } from '../resource-args.ts';
import { type Session, UserError } from '../session.ts';
import { type Victim, waitGone } from '../wait-gone.ts';

interface DeleteOptions extends ChoiceOptions {
  readonly gracePeriod?: number;
  readonly force?: boolean;
  readonly now?: boolean;
  readonly wait: string;
  readonly timeout?: number;
  readonly cascade: keyof typeof propagation;
  readonly ignoreNotFound?: boolean;
  readonly dryRun?: string;
}

const propagation = {
  background: DeleteRequest_Propagation.BACKGROUND,
  foreground: DeleteRequest_Propagation.FOREGROUND,
  orphan: DeleteRequest_Propagation.ORPHAN,
};

export const deleteCommand = (run: Runner) =>
  withChoice(new Command('delete'))
    .description('Remove objects, and wait until they are gone')
    .addOption(
      new Option('--grace-period <seconds>', 'how long they have to end; 0 with --force').argParser(wholeNumber),
    )
    .option('--force', 'remove at once, even if nobody confirms that it ended')
    .option('--now', 'with a second to end')
    .addOption(new Option('--wait [bool]', 'wait until they are gone').default('true').preset('true'))
    .addOption(new Option('--timeout <duration>', 'how long to wait').argParser(durationMs))
    .addOption(
      new Option('--cascade [mode]', 'what happens to what they own')
        .choices(Object.keys(propagation))
        .default('background')
        .preset('background'),
    )
    .option('--ignore-not-found', 'say nothing of objects that are not there')
    .addOption(dryRunOption())
    .addHelpText(
      'after',
      '\nExamples:\n  navctl delete deploy/web svc/web\n  navctl delete pods -l app=web\n  navctl delete -f web.yaml\n  navctl delete pod web --force',
    )
    .action(run(remove));

async function remove(session: Session, args: readonly string[], options: DeleteOptions): Promise<number> {
  const victims = await chooseObjects(session, args, options);
  const grace = gracePeriod(options);
  if (options.force === true) {
    session.warn('Warning: Immediate deletion does not wait for confirmation that what runs has ended.\n');
  }
  const going: (Victim & { readonly uid: string })[] = [];
  let failures = 0;
  for (const victim of victims) {
    const { kind, namespace, name } = victim;
    // One that was chosen from a list: another one of that name stays.
    const uid = victim.listed?.metadata?.uid;
    try {
      const { object, gone } = await session.client().delete(
        kind,
        { namespace, name },
        {
          propagation: propagation[options.cascade],
          dryRun: isDryRun(options),
          ...(uid === undefined ? {} : { uid }),
          ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
        },
      );
      const how = isDryRun(options) ? 'deleted (server dry run)' : options.force === true ? 'force deleted' : 'deleted';
      session.print(`${typeName(kind)} "${name}" ${how}\n`);
      if (!gone) going.push({ ...victim, uid: object.metadata?.uid ?? '' });
    } catch (error) {
      // One that was chosen from a list, and has gone by itself since, is what was wanted.
      if ((options.ignoreNotFound === true || uid !== undefined) && isApiError(error, 'NotFound')) continue;
      failures++;
      session.warn(`${errorText(error, session.server)}\n`);
    }
  }
  if (options.wait !== 'false' && !isDryRun(options)) await waitGone(session, going, options.timeout);
  if (victims.length === 0) session.warn('No resources found\n');
  return failures === 0 ? 0 : 1;
}

function gracePeriod({ force, now, gracePeriod }: DeleteOptions): number | undefined {
  if (force === true) {
    if (gracePeriod !== undefined && gracePeriod > 0)
      throw new UserError('--force and --grace-period exclude each other');
    return 0;
  }
  if (gracePeriod === 0) throw new UserError('--grace-period=0 removes at once; say so with --force');
  if (now === true) return 1;
  return gracePeriod !== undefined && gracePeriod > 0 ? gracePeriod : undefined;
}
