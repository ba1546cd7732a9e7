import { isDeepStrictEqual } from 'node:util';
import { encodeObject, isApiError, type JsonObject, messageSchema } from '@navarch/machinery';
import { PatchRequest_Type, type PodTemplateSpec } from '@navarch/proto';
import { Command, Option } from 'commander';
import { type ChoiceOptions, chooseObjects, type Chosen, forEachOf, withChoice } from '../choose-objects.ts';
import {
  dryRunNote,
  dryRunOption,
  fieldManagerOption,
  wholeNumber,
  type WriteFlags,
  writeOptions,
} from '../options.ts';
import { objectName } from '../resource-args.ts';
import { afterChange, type WaitFlags, withWait } from '../rollout/after-change.ts';
import { findRevisions, pickRevision, type Recorded } from '../rollout/revisions.ts';
import { rolloutKindOf } from '../rollout/rollout-kinds.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';

type UndoFlags = ChoiceOptions & WriteFlags & WaitFlags & { readonly toRevision: number };

export const rolloutUndoCommand = (run: Runner) =>
  withWait(
    withChoice(new Command('undo'))
      .description('Go back to an earlier revision of the Pod template')
      .addOption(
        new Option('--to-revision <number>', 'to this one; the one before when 0').argParser(wholeNumber).default(0),
      )
      .addOption(dryRunOption())
      .addOption(fieldManagerOption()),
  )
    .addHelpText(
      'after',
      '\n`navctl rollout history` shows which revisions there are.\n\nExamples:\n  navctl rollout undo deploy/web\n  navctl rollout undo deploy/web --to-revision=2 --wait',
    )
    .action(
      run(async (session, args: readonly string[], flags: UndoFlags) =>
        forEachOf(session, await chooseObjects(session, args, flags), (chosen) => undo(session, chosen, flags)),
      ),
    );

/** Which revision is meant, and how it is told. */
export interface GoingBackTo {
  choose(revisions: readonly Recorded[], failedRecord: string | undefined): Recorded | undefined;
  readonly done: string;
  /** What is said when nothing is to be done, after the object's name. */
  isThere(number: number): string;
}

function undo(session: Session, chosen: Chosen, flags: UndoFlags): Promise<void> {
  const { toRevision } = flags;
  const rollout = rolloutKindOf(chosen.kind);
  return goBackTo(session, chosen, flags, {
    choose: (revisions, failedRecord) => {
      if (toRevision > 0) return pickRevision(revisions, toRevision, rollout, chosen.name);
      // What failed and was taken back is not what anybody means by the one before.
      return revisions.slice(0, -1).findLast(({ record }) => record.metadata.name !== failedRecord);
    },
    done: 'rolled back',
    isThere: (number) => `skipped rollback (current template already matches revision ${number})`,
  });
}

/** A rollout that goes on changes its object all the time: what is decided is decided again when that came between. */
export async function goBackTo(
  session: Session,
  chosen: Chosen,
  flags: WriteFlags & WaitFlags,
  to: GoingBackTo,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      if (await tryToGoBack(session, chosen, flags, to)) await afterChange(session, chosen, flags);
      return;
    } catch (error) {
      if (tries === mostTries || !isApiError(error, 'Conflict')) throw error;
    }
  }
}

const mostTries = 10;

/** Whether there was something to do. Throws Conflict when somebody else wrote meanwhile. */
async function tryToGoBack(session: Session, chosen: Chosen, flags: WriteFlags, to: GoingBackTo): Promise<boolean> {
  const { namespace, name } = chosen;
  const rollout = rolloutKindOf(chosen.kind);
  const { kind } = rollout;
  const object = await session.client().get(kind, { namespace, name });
  const { paused, template, failedRecord } = rollout.facts(object);
  if (paused) {
    throw new UserError(
      `${kind.singular} "${name}" is paused; resume it first: navctl rollout resume ${kind.singular}/${name}`,
    );
  }
  const revisions = await findRevisions(session, rollout, object);
  const wanted = to.choose(revisions, failedRecord);
  if (wanted === undefined) {
    throw new UserError(`no rollout history found for ${kind.singular} "${name}": it has had no other template yet`);
  }
  const { revision, record } = wanted;
  const back = rollout.returnTo?.(object, revisions.at(-1)?.record, record);
  const before = templateJson(revision.template);
  if (template !== undefined && isDeepStrictEqual(before, templateJson(template)) && back?.isThere !== false) {
    session.print(`${objectName(kind, name)} ${to.isThere(revision.number)}\n`);
    return false;
  }
  const annotations = { ...(back?.annotations ?? object.metadata.annotations), [causeKey]: revision.cause };
  const patch = JSON.stringify([
    { op: 'replace', path: '/spec/template', value: before },
    ...annotationsPatch(object.metadata.annotations, annotations),
  ]);
  const { resourceVersion } = object.metadata;
  await session
    .client()
    .patch(kind, { namespace, name }, { type: PatchRequest_Type.JSON, patch, resourceVersion }, writeOptions(flags));
  session.print(`${objectName(kind, name)} ${to.done}${dryRunNote(flags)}\n`);
  return true;
}

const causeKey = 'kubernetes.io/change-cause';

/** The old template comes with what was said of it then. What is empty goes. */
function annotationsPatch(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly object[] {
  const isFirst = Object.keys(before).length === 0;
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => (before[key] ?? '') !== (after[key] ?? ''),
  );
  if (changed.length === 0) return [];
  return [
    ...(isFirst ? [{ op: 'add', path: '/metadata/annotations', value: {} }] : []),
    ...changed.map((key) => {
      const path = `/metadata/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      const value = after[key] ?? '';
      return value === '' ? { op: 'remove', path } : { op: 'add', path, value };
    }),
  ];
}

function templateJson(template: PodTemplateSpec): JsonObject {
  return encodeObject(messageSchema('navarch.core.v1.PodTemplateSpec'), template);
}
