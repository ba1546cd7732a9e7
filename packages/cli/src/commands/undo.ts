import type { Version } from '@navarch/client';
import type { KindDefinition } from '@navarch/kinds';
import { isApiError, type KubeObject } from '@navarch/machinery';
import { Command } from 'commander';
import { carefulUpdate } from '../careful-update.ts';
import { differs, splitAnnotations } from '../content.ts';
import { resolveMoment } from '../moment.ts';
import { dryRunOption, isDryRun } from '../options.ts';
import { objectName, parseNamedTargets } from '../resource-args.ts';
import type { Runner } from '../runner.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';
import { earlierVersion, versionAt } from '../undo-version.ts';

interface UndoOptions {
  readonly to?: string;
  readonly dryRun?: string;
}

export const undoCommand = (run: Runner) =>
  new Command('undo')
    .description('Make an object what it was; one that is gone is made anew. Its status is left alone')
    .argument('<target...>', 'TYPE NAME… or TYPE/NAME…')
    .option('--to <moment>', 'a revision, or how long ago: 5m (default: the version before the last change)')
    .addOption(dryRunOption())
    .addHelpText('after', '\nExamples:\n  navctl undo deploy/web\n  navctl undo svc/web --to 1234')
    .action(run(undo));

async function undo(session: Session, args: readonly string[], options: UndoOptions): Promise<void> {
  const targets = await parseNamedTargets(session, args);
  const to = options.to === undefined ? undefined : await resolveMoment(session, options.to, targets);
  for (const { kind, name } of targets) {
    const done = await undoOne(session, kind, name, to, isDryRun(options));
    session.print(`${objectName(kind, name)} ${done}${isDryRun(options) ? ' (server dry run)' : ''}\n`);
  }
}

/** Says what was done. */
async function undoOne(
  session: Session,
  kind: KindDefinition,
  name: string,
  to: bigint | undefined,
  dryRun: boolean,
): Promise<string> {
  const client = session.client();
  const key = { namespace: namespaceOf(session, kind), name };
  const { versions } = await client.history(kind, key);
  const current = versions[0]?.object;
  const { object, revision } = await wanted(session, kind, key, versions, to);
  if (current === undefined) {
    await client.create(kind, firstOf(object), { dryRun });
    return `made anew as it was at revision ${revision}`;
  }
  if (!differs(kind, current, object)) return `unchanged: it is as it was at revision ${revision}`;
  await carefulUpdate(session, kind, current, (latest) => putBack(latest, object), { dryRun });
  return `rolled back to revision ${revision}`;
}

/** What the object shall be, as a change of what it is. */
function putBack(current: KubeObject, wanted: KubeObject): KubeObject {
  const { uid = '', resourceVersion = '' } = current.metadata ?? {};
  const annotations = { ...splitAnnotations(wanted).annotations, ...splitAnnotations(current).books };
  return { ...wanted, metadata: wanted.metadata && { ...wanted.metadata, uid, resourceVersion, annotations } };
}

/** The version to go back to: what the store says of a revision, or else what was kept of the object. */
async function wanted(
  session: Session,
  kind: KindDefinition,
  key: { readonly namespace: string; readonly name: string },
  versions: readonly Version[],
  to: bigint | undefined,
): Promise<{ readonly revision: bigint; readonly object: KubeObject }> {
  if (to === undefined) return earlierVersion(kind, key.name, versions);
  try {
    return { revision: to, object: await session.client().get(kind, key, { at: to }) };
  } catch (error) {
    if (isApiError(error, 'NotFound')) {
      throw new UserError(`there was no ${kind.singular} "${key.name}" at revision ${to}; navctl delete removes it`);
    }
    if (!isApiError(error, 'Expired')) throw error;
    return versionAt(kind, key.name, versions, to);
  }
}

/** The object without what an earlier life of it was given. */
function firstOf({ metadata, ...rest }: KubeObject): KubeObject {
  const anew = { uid: '', resourceVersion: '', creationTimestamp: '', deletionTimestamp: '' };
  return { ...rest, metadata: metadata && { ...metadata, ...anew } };
}
