import { isApiError } from '@navarch/machinery';
import { DeleteRequest_Propagation } from '@navarch/proto';
import { Command, Option } from 'commander';
import { errorText } from '../errors.ts';
import { type FileOptions, readManifests } from '../manifests.ts';
import {
  allNamespacesOption,
  dryRunOption,
  durationMs,
  fieldSelectorOption,
  filenameOption,
  isDryRun,
  recursiveOption,
  selectorOption,
  wholeNumber,
} from '../options.ts';
import type { Runner } from '../runner.ts';
import { parseTargets, typeName } from '../resource-args.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';
import { type Victim, waitGone } from '../wait-gone.ts';

interface DeleteOptions extends Partial<FileOptions> {
  readonly all?: boolean;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
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
  new Command('delete')
    .description('Remove objects, and wait until they are gone')
    .argument('[target...]', 'TYPE NAME…, TYPE/NAME…, or TYPE with -l or --all')
    .addOption(filenameOption())
    .addOption(recursiveOption())
    .option('--all', 'all objects of the type in the namespace')
    .addOption(allNamespacesOption())
    .addOption(selectorOption())
    .addOption(fieldSelectorOption())
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
    .action(run(remove));

async function remove(session: Session, args: readonly string[], options: DeleteOptions): Promise<number> {
  const victims = await findVictims(session, args, options);
  const grace = gracePeriod(options);
  if (options.force === true) {
    session.warn('Warning: Immediate deletion does not wait for confirmation that what runs has ended.\n');
  }
  const going: (Victim & { readonly uid: string })[] = [];
  let failures = 0;
  for (const victim of victims) {
    const { kind, namespace, name, uid } = victim;
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

/** Those chosen from a list have the uid of the object that was chosen: another one of that name stays. */
async function findVictims(
  session: Session,
  args: readonly string[],
  options: DeleteOptions,
): Promise<(Victim & { readonly uid?: string })[]> {
  const { filename, recursive = false, selector, fieldSelector } = options;
  if (filename !== undefined) {
    const manifests = await readManifests(session, { filename, recursive }, 'names');
    return manifests.map(({ kind, name, object }) => ({
      kind,
      name,
      namespace: kind.scope === 'Namespaced' ? object.metadata?.namespace || session.namespace : '',
    }));
  }
  const targets = await parseTargets(session, args);
  const victims: (Victim & { readonly uid?: string })[] = [];
  for (const { kind, name } of targets) {
    const namespace = namespaceOf(session, kind);
    if (name !== undefined) {
      victims.push({ kind, namespace, name });
      continue;
    }
    if (options.all !== true && selector === undefined && fieldSelector === undefined) {
      throw new UserError(`say which ${kind.plural}: by name, with -l or --field-selector, or --all`);
    }
    const { items } = await session.client().list(kind, {
      namespace: options.allNamespaces === true ? '' : namespace,
      ...(selector === undefined ? {} : { labelSelector: selector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    });
    for (const { metadata } of items) {
      const { namespace: within = '', name: chosen = '', uid = '' } = metadata ?? {};
      victims.push({ kind, namespace: within, name: chosen, uid });
    }
  }
  return victims;
}
