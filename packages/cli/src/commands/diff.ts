import { type KindDefinition, liveObject } from '@navarch/kinds';
import { isApiError, keyString, type KubeObject } from '@navarch/machinery';
import { Command, Option } from 'commander';
import { reportError } from '../errors.ts';
import { type FileOptions, readManifests } from '../manifests.ts';
import { resolveMoment } from '../moment.ts';
import { atOption, fieldManagerOption, filenameOption, recursiveOption } from '../options.ts';
import { type Difference, type DiffNames, diffText, printDiff } from '../print/diff.ts';
import { parseTargets, type Target } from '../resource-args.ts';
import type { Runner } from '../runner.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';
import { checkApplicable } from './apply.ts';

interface DiffOptions extends Partial<FileOptions> {
  readonly at?: string;
  readonly forceConflicts?: boolean;
  readonly fieldManager?: string;
}

/** kubectl's: 0 for no difference, 1 for some, and more for a failure. */
const failed = 2;

export const diffCommand = (run: Runner) =>
  new Command('diff')
    .description('Show what applying manifests would change, or what has changed since')
    .argument('[target...]', 'with --at: TYPE, TYPE NAME… or TYPE/NAME…')
    .addOption(filenameOption())
    .addOption(recursiveOption())
    .addOption(atOption())
    .option('--force-conflicts', 'as if apply took fields that others have set to other values')
    .addOption(fieldManagerOption())
    .addOption(new Option('--server-side [yes]', 'how apply works anyway').hideHelp())
    .addHelpText(
      'after',
      '\nExits with 0 when nothing differs, with 1 when something does, and with 2 when it failed.\n\nExamples:\n  navctl diff -f web.yaml\n  navctl diff deploy/web --at 5m',
    )
    .action(
      run(async (session, args: readonly string[], options: DiffOptions) => {
        try {
          return await diff(session, args, options);
        } catch (error) {
          reportError(error, session.server, (text) => session.warn(text));
          return failed;
        }
      }),
    );

async function diff(session: Session, args: readonly string[], options: DiffOptions): Promise<number> {
  const { filename, at, recursive = false } = options;
  if (filename !== undefined && (at !== undefined || args.length > 0)) {
    throw new UserError('either -f, to see what applying would change, or objects and --at, to see what has changed');
  }
  if (filename !== undefined) return print(session, await wouldChange(session, { filename, recursive }, options), live);
  if (args.length === 0) {
    throw new UserError(
      'say what: -f FILE for what applying it would change, or TYPE/NAME --at 5m for what has changed',
    );
  }
  const targets = await parseTargets(session, args);
  if (at === undefined) throw new UserError('say since when: --at 5m, or --at REVISION; or what to apply: -f FILE');
  const revision = await resolveMoment(session, at, targets);
  const differences: Difference[] = [];
  for (const target of targets) differences.push(...(await changedSince(session, target, revision)));
  return print(session, differences, { before: `revision ${revision}`, after: 'now' });
}

const live: DiffNames = { before: 'LIVE', after: 'MERGED' };

function print(session: Session, differences: readonly Difference[], names: DiffNames): number {
  const texts = differences.map((difference) => diffText(difference, names)).filter((text) => text !== '');
  for (const text of texts) printDiff(session, text);
  return texts.length === 0 ? 0 : 1;
}

/** What the server would make of each manifest, beside what there is. */
async function wouldChange(
  session: Session,
  files: FileOptions,
  { forceConflicts, fieldManager }: DiffOptions,
): Promise<readonly Difference[]> {
  const manifests = await readManifests(session, files);
  for (const manifest of manifests) checkApplicable(manifest, session);
  const differences: Difference[] = [];
  for (const { kind, json, object, name } of manifests) {
    const namespace = kind.scope === 'Cluster' ? '' : object.metadata?.namespace || session.namespace;
    const before = await found(session.client().get(kind, { namespace, name }));
    const options = {
      namespace: session.namespace,
      dryRun: true,
      force: forceConflicts === true,
      ...(fieldManager !== undefined && { fieldManager }),
    };
    const { resource } = await session.client().apply(JSON.stringify(json), options);
    differences.push({ kind, before, after: resource && liveObject(resource) });
  }
  return differences;
}

async function changedSince(session: Session, { kind, name }: Target, at: bigint): Promise<readonly Difference[]> {
  const namespace = namespaceOf(session, kind);
  const client = session.client();
  if (name !== undefined) {
    const before = await found(client.get(kind, { namespace, name }, { at }));
    const after = await found(client.get(kind, { namespace, name }));
    if (before !== undefined || after !== undefined) return [{ kind, before, after }];
    throw new UserError(`there is no ${kind.singular} "${name}" now, and there was none at revision ${at}`);
  }
  const before = byName((await client.list(kind, { namespace, at })).items);
  const after = byName((await client.list(kind, { namespace })).items);
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].sort().map((key) => difference(kind, before.get(key), after.get(key)));
}

function difference(kind: KindDefinition, before: KubeObject | undefined, after: KubeObject | undefined): Difference {
  return { kind, before, after };
}

function byName(items: readonly KubeObject[]): Map<string, KubeObject> {
  return new Map(items.map((item) => [keyString({ namespace: '', name: '', ...item.metadata }), item]));
}

/** Undefined for what is not there. */
async function found<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isApiError(error, 'NotFound')) return undefined;
    throw error;
  }
}
